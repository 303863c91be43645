"""Collecting: the bundled photographs, or a folder of one's own."""

import pytest
from PIL import Image

from srmodels.data.bundled import copy_bundled, read_choice
from srmodels.data.photos import Photo, PhotosSettings, check_splits, collect, read_photos
from srmodels.errors import DataError

from .pictures import encoded, pattern, write


def fill(folder, names):
    for place, name in enumerate(names):
        picture = pattern()
        picture[0, 0] = place
        write(folder, name, encoded(picture, "PNG"))


def collected(tmp_path, source):
    return collect(PhotosSettings(photos=str(source)), preset="x", data=tmp_path / "data")


def size(path):
    with Image.open(path) as image:
        return image.size


def test_a_folder_is_listed_and_not_copied(tmp_path):
    fill(tmp_path / "mine", ["a.png", "trip/b.png", "c.png"])
    found = collected(tmp_path, tmp_path / "mine")
    assert [photo.photo for photo in found] == ["a.png", "c.png", "trip/b.png"]
    assert {photo.split for photo in found} == {"train", "validation", "test"}
    assert sorted(path.name for path in (tmp_path / "data/photos").iterdir()) == [
        "others.csv",
        "photos.csv",
    ]


def test_the_table_leads_back_to_the_files(tmp_path):
    fill(tmp_path / "mine", ["NA.png", "b,c.png", "d\n.png"])
    found = collected(tmp_path, tmp_path / "mine")
    again = read_photos(tmp_path / "data/photos")
    assert again == found
    assert all(size(photo.path) == (128, 96) for photo in again)


def test_names_that_are_not_utf8_survive(tmp_path):
    fill(tmp_path / "mine", [b"caf\xe9.png".decode("utf-8", "surrogateescape")])
    collected(tmp_path, tmp_path / "mine")
    (photo,) = read_photos(tmp_path / "data/photos")
    assert size(photo.path) == (128, 96)


def test_the_same_file_twice_is_used_once(tmp_path):
    fill(tmp_path / "mine", ["a.png", "b.png"])
    write(tmp_path / "mine", "copy.png", (tmp_path / "mine/a.png").read_bytes())
    found = collected(tmp_path, tmp_path / "mine")
    assert [photo.photo for photo in found] == ["a.png", "b.png"]
    others = (tmp_path / "data/photos/others.csv").read_text()
    assert "copy.png,is the same file as a.png" in others


def test_other_files_are_listed_with_a_reason(tmp_path):
    fill(tmp_path / "mine", ["a.png"])
    write(tmp_path / "mine", "film.mov", b"")
    collected(tmp_path, tmp_path / "mine")
    assert "film.mov,is no photograph" in (tmp_path / "data/photos/others.csv").read_text()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [(None, "is no folder"), ([], r"holds no photograph \(found nothing"), (["a.txt"], "1 other")],
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
    with pytest.raises(DataError, match=r"photos.*: Not a directory") as caught:
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


def test_a_missing_table_asks_for_the_stage(tmp_path):
    with pytest.raises(DataError, match="run the stage `photos`"):
        read_photos(tmp_path)


def test_a_table_that_is_none_is_named(tmp_path):
    write(tmp_path, "photos.csv", b"what,ever\n1,2\n")
    with pytest.raises(DataError, match=r"photos\.csv: is no table"):
        read_photos(tmp_path)


@pytest.mark.parametrize(
    "values", [{"validation": -0.1}, {"test": 1.0}, {"validation": 0.5, "test": 0.5}]
)
def test_shares_out_of_range_are_refused(values):
    with pytest.raises(ValueError, match="must"):
        PhotosSettings(**values)


@pytest.mark.parametrize("missing", ["validation", "test"])
def test_an_empty_split_is_named_before_anything_is_cut(missing):
    there = [split for split in ("train", "validation", "test") if split != missing]
    photos = [Photo(f"{split}/cat.png", split, "cat.png", 1, "0") for split in there]
    with pytest.raises(DataError, match=f"no photograph for {missing} \\(found 1 for train"):
        check_splits(photos)
