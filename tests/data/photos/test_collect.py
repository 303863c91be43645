"""Collecting: the bundled photographs, or folders of one's own."""

import csv
from pathlib import Path

import pytest
from PIL import Image

from srmodels.data.datasets.bundled import copy_bundled, read_choice
from srmodels.data.datasets.catalog import ImageFolder
from srmodels.data.photos.collect import collect
from srmodels.data.photos.scan import find_photos
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import read_photos
from srmodels.errors import DataError
from tests.data.scenes import scene
from tests.images.pictures import encoded, write

ROOT = Path(__file__).parents[3]


def fill(folder, names):
    for place, name in enumerate(names):
        write(folder, name, encoded(scene(place), "PNG"))


def collected(tmp_path, source, **settings):
    return collect(
        PhotosSettings(photos=str(source), **settings), preset="x", data=tmp_path / "data", scale=4
    )


def size(path):
    with Image.open(path) as image:
        return image.size


def reasons(tmp_path):
    with (tmp_path / "data/photos/others.csv").open(newline="") as file:
        return {row["file"]: row["reason"] for row in csv.DictReader(file)}


def test_a_folder_is_listed_and_not_copied(tmp_path):
    fill(tmp_path / "mine", ["a.png", "trip/b.png", "c.png"])
    found = collected(tmp_path, tmp_path / "mine")
    assert [photo.photo for photo in found] == ["a.png", "c.png", "trip/b.png"]
    assert {photo.split for photo in found} == {"train", "validation", "test"}
    assert sorted(path.name for path in (tmp_path / "data/photos").iterdir()) == [
        "groups.csv",
        "others.csv",
        "photos.csv",
    ]


def test_the_table_leads_back_to_the_files(tmp_path):
    fill(tmp_path / "mine", ["NA.png", "b,c.png", "d\n.png"])
    found = collected(tmp_path, tmp_path / "mine")
    again = read_photos(tmp_path / "data/photos")
    assert again == found
    assert all(size(photo.path) == (256, 192) for photo in again)


def test_names_that_are_not_utf8_survive(tmp_path):
    fill(tmp_path / "mine", [b"caf\xe9.png".decode("utf-8", "surrogateescape")])
    collected(tmp_path, tmp_path / "mine")
    (photo,) = read_photos(tmp_path / "data/photos")
    assert size(photo.path) == (256, 192)


def test_the_same_file_twice_is_used_once(tmp_path):
    fill(tmp_path / "mine", ["a.png", "b.png"])
    write(tmp_path / "mine", "copy.png", (tmp_path / "mine/a.png").read_bytes())
    found = collected(tmp_path, tmp_path / "mine")
    assert [photo.photo for photo in found] == ["a.png", "b.png"]
    assert reasons(tmp_path) == {"copy.png": "is the same file as a.png"}


def test_of_the_same_file_the_copy_for_testing_is_kept(tmp_path):
    fill(tmp_path / "mine", ["validation/a.png", "b.png"])
    for name in ("a.png", "test/z.png", "train/a.png"):
        write(tmp_path / "mine", name, (tmp_path / "mine/validation/a.png").read_bytes())
    found = collected(tmp_path, tmp_path / "mine")
    assert [photo.photo for photo in found] == ["b.png", "test/z.png"]


def test_a_picture_in_two_kinds_of_file_stays_on_one_side_and_is_told_of(tmp_path):
    fill(tmp_path / "mine", [f"{k}.png" for k in range(12)])
    for k in range(12):
        write(tmp_path / "mine", f"copy/{k}.jpg", encoded(scene(k).resize((128, 96)), "JPEG"))
    found = {photo.photo: photo.split for photo in collected(tmp_path, tmp_path / "mine")}
    assert [found[f"{k}.png"] for k in range(12)] == [found[f"copy/{k}.jpg"] for k in range(12)]
    table = (tmp_path / "data/photos/groups.csv").read_text().splitlines()
    assert table[0] == "group,photo,like,distance,correlation"
    assert table[1].startswith("1,0.png,copy/0.jpg,")
    assert len(table) == 25


def test_what_is_like_a_test_photograph_is_not_trained_on(tmp_path):
    fill(tmp_path / "mine", ["test/a.png", "train/b.png", "validation/c.png"])
    for name in ("train/a.jpg", "loose.jpg"):
        write(tmp_path / "mine", name, encoded(scene(0), "JPEG", quality=50 + len(name)))
    found = {photo.photo: photo.split for photo in collected(tmp_path, tmp_path / "mine")}
    assert found["loose.jpg"] == found["test/a.png"] == "test"
    assert "train/a.jpg" not in found
    assert reasons(tmp_path) == {"train/a.jpg": "is like loose.jpg"}


def test_near_duplicates_can_be_ignored(tmp_path):
    fill(tmp_path / "mine", ["test/a.png", "validation/b.png"])
    write(tmp_path / "mine", "train/a.jpg", encoded(scene(0), "JPEG"))
    found = collected(tmp_path, tmp_path / "mine", near_duplicates="ignore")
    assert [photo.split for photo in found] == ["test", "train", "validation"]
    assert (tmp_path / "data/photos/groups.csv").read_text().count("\n") == 1


def test_a_photograph_that_cannot_be_decoded_is_kept_for_the_stage_that_names_it(tmp_path, caplog):
    fill(tmp_path / "mine", ["a.png", "b.png"])
    write(tmp_path / "mine", "broken.png", b"\x89PNG\r\n\x1a\n")
    assert len(collected(tmp_path, tmp_path / "mine")) == 3
    assert "1 photographs cannot be decoded" in caplog.text


def test_a_photograph_that_vanishes_while_it_is_read_is_left_out(tmp_path, monkeypatch):
    fill(tmp_path / "mine", ["a.png", "b.png"])
    monkeypatch.setattr(
        "srmodels.data.photos.scan.list_files",
        lambda folder: ([folder / name for name in ("a.png", "b.png", "c.png")], []),
    )
    assert len(collected(tmp_path, tmp_path / "mine")) == 2
    assert reasons(tmp_path) == {"c.png": "cannot be opened (No such file or directory)"}


def test_each_source_keeps_to_its_splits_and_brings_its_official_lr(tmp_path):
    fill(tmp_path / "HR", [f"{k}.png" for k in range(30)])
    fill(tmp_path / "valid", ["0.png", "1.png"])
    write(tmp_path, "valid/2.png", encoded(scene(31), "PNG"))
    write(tmp_path, "X4/3x4.png", encoded(scene(3).resize((64, 48)), "PNG"))
    train = ImageFolder("train", tmp_path / "HR", ("train", "validation"), tmp_path / "X4")
    test = ImageFolder("valid", tmp_path / "valid", ("test",), None)
    settings = PhotosSettings(validation=0.2, test=0.5)
    found = find_photos([train, test], settings, scale=4)
    splits = {(photo.photo[:5], photo.split) for photo in found.photos}
    assert splits == {("train", "train"), ("train", "validation"), ("valid", "test")}
    (with_lr,) = (photo for photo in found.photos if photo.lr)
    assert (with_lr.photo, with_lr.lr) == ("train/3.png", str(tmp_path / "X4/3x4.png"))
    assert len(with_lr.lr_sha256) == 64
    assert sorted(found.others) == [
        (f"train/{k}.png", f"is the same file as valid/{k}.png") for k in range(2)
    ]


def test_other_files_are_listed_with_a_reason(tmp_path):
    fill(tmp_path / "mine", ["a.png"])
    write(tmp_path / "mine", "film.mov", b"")
    collected(tmp_path, tmp_path / "mine")
    assert reasons(tmp_path) == {"film.mov": "is no photograph"}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [(None, "is no folder"), ([], r"holds no photograph \(got nothing"), (["a.txt"], "1 other")],
)
def test_a_folder_that_gives_nothing_is_named(files, sentence, tmp_path):
    for name in files or ():
        write(tmp_path / "mine", name, b"hello")
    if files == []:
        (tmp_path / "mine").mkdir()
    with pytest.raises(DataError, match=rf"data\.photos: .*mine.*{sentence}"):
        collected(tmp_path, tmp_path / "mine")


def test_the_folder_this_stage_writes_to_is_no_source(tmp_path):
    fill(tmp_path / "data/photos", ["a.png"])
    with pytest.raises(DataError, match="where this stage writes"):
        collected(tmp_path, tmp_path / "data/photos")
    assert (tmp_path / "data/photos/a.png").exists()


def test_an_output_that_cannot_be_written_is_one_line(tmp_path):
    fill(tmp_path / "mine", ["a.png"])
    (tmp_path / "data").write_text("a file where a folder should be")
    refusal = r"photos.*: cannot be written \(got Not a directory"
    with pytest.raises(DataError, match=refusal) as caught:
        collected(tmp_path, tmp_path / "mine")
    assert "\n" not in str(caught.value)


def choice(tmp_path, *rows):
    text = "photo,package,file,split,why\n" + "".join(f"{row},because\n" for row in rows)
    return write(tmp_path, "data/auto/x.csv", text.encode())


def test_auto_copies_what_the_presets_table_says(tmp_path):
    choice(tmp_path, "cat,skimage,chelsea.png,test", "china,sklearn,china.jpg,train")
    found = collected(tmp_path, "auto")
    assert [(p.photo, p.split, p.path) for p in found] == [
        ("cat", "test", "cat.png"),
        ("china", "train", "china.jpg"),
    ]
    assert size(tmp_path / "data/photos/cat.png") == (451, 300)


def test_unused_photographs_are_not_copied(tmp_path):
    choice(tmp_path, "cat,skimage,chelsea.png,train", "eye,skimage,retina.jpg,unused")
    assert [photo.photo for photo in collected(tmp_path, "auto")] == ["cat"]


def test_a_photograph_missing_from_its_wheel_is_named_and_nothing_copied(tmp_path):
    rows = read_choice(choice(tmp_path, "a,skimage,chelsea.png,train", "b,skimage,no.png,test"))
    with pytest.raises(DataError, match=r"scikit-image: no\.png is not inside"):
        copy_bundled(rows, tmp_path)
    assert not (tmp_path / "a.png").exists()


def test_a_preset_without_photographs_of_its_own_asks_for_a_folder(tmp_path):
    with pytest.raises(DataError, match=r"-S data[.]photos=/path/to/DIV2K_train_HR"):
        collected(tmp_path, "auto")


def test_a_wrong_row_of_a_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"x\.csv: the row 'cat' is wrong"):
        read_choice(choice(tmp_path, "cat,skimage,chelsea.png,tset"))


def test_photographs_named_are_left_out(tmp_path):
    fill(tmp_path / "mine", ["a.png", "b.png", "c.png", "d.png", "trip/e.png", "trip/f.png"])
    found = collected(tmp_path, tmp_path / "mine", leave_out=("b.png", "trip/*"))
    assert [photo.photo for photo in found] == ["a.png", "c.png", "d.png"]
    assert reasons(tmp_path) == dict.fromkeys(
        ("b.png", "trip/e.png", "trip/f.png"), "is left out by data.leave_out"
    )


def test_a_name_to_leave_out_that_nothing_has_is_refused(tmp_path):
    fill(tmp_path / "mine", ["302003.png", "b.png", "c.png"])
    wanted = r"data\.leave_out: .* \(got '302003\.jpg'\)\. Give a name like '302003\.png'"
    with pytest.raises(DataError, match=wanted):
        collected(tmp_path, tmp_path / "mine", leave_out=("302003.jpg",))


def test_a_bundled_photograph_can_be_left_out(tmp_path):
    table = tmp_path / "data" / "auto" / "x.csv"
    table.parent.mkdir(parents=True)
    table.write_text((ROOT / "data" / "auto" / "quickstart.csv").read_text())
    found = collected(tmp_path, "auto", leave_out=("china",))
    assert "china" not in {photo.photo for photo in found}
    assert reasons(tmp_path)["china"] == "is left out by data.leave_out"


def test_folders_that_keep_nothing_for_testing_are_joined_by_the_bundled_test_photographs(tmp_path):
    table = tmp_path / "data" / "auto" / "quickstart.csv"
    table.parent.mkdir(parents=True)
    table.write_text((ROOT / "data" / "auto" / "quickstart.csv").read_text())
    fill(tmp_path / "mine", ["a.png", "b.png", "c.png"])
    found = collected(tmp_path, tmp_path / "mine", test=0, validation=0.3)
    tested = [photo.photo for photo in found if photo.split == "test"]
    assert tested == ["astronaut", "coffee"]
    assert {photo.photo for photo in found} == {"a.png", "b.png", "c.png", *tested}
    again = {photo.photo: photo.path for photo in read_photos(tmp_path / "data" / "photos")}
    assert size(again["coffee"]) == (600, 400)
