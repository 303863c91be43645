"""LR pictures of one's own, data.lr, from two folders to the patch store."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srmodels.config import check
from srmodels.data.patches.extract import extract
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.photos.collect import collect
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.store.reader import PatchStore
from srmodels.engine.validation import validator
from srmodels.errors import ConfigError, DataError
from srmodels.images.readers.folder import whole_images
from srmodels.resize.images import downscale
from tests.data.scenes import scene
from tests.images.pictures import encoded, write

SETTINGS = PatchSettings(
    patch_size=16, stride=16, also_reduced_to=(0.75,), workers=1, shards=1, max_skipped=0.5
)


def hr_of(number):
    return np.array(scene(number, 96, 128))


def darker(number):
    """LR as another camera would make it."""
    return (downscale(hr_of(number), 4) * 0.8 + 5).astype(np.uint8)


@pytest.fixture
def folders(tmp_path):
    """HR and LR of nine photographs, two of them for the test and two for the validation."""
    for number in range(9):
        split = "test" if number < 2 else "validation" if number < 4 else "train"
        write(tmp_path / "hr" / split, f"{number}.png", encoded(hr_of(number), "PNG"))
        write(tmp_path / "lr" / split, f"{number}.png", encoded(darker(number), "PNG"))
    return tmp_path


def photos_of(folders, **settings):
    chosen = {"photos": str(folders / "hr"), "lr": str(folders / "lr"), **settings}
    return collect(PhotosSettings(**chosen), preset="x", data=folders / "data", scale=4)


def patches_of(folders, settings=SETTINGS):
    photos_of(folders)
    metrics = folders / "metrics.json"
    extract(folders / "data/photos", folders / "patches", settings, scale=4, metrics=metrics)
    return folders / "patches"


def skipped(folders):
    return json.loads((folders / "metrics.json").read_text())["skipped"]


def notes(folders):
    with (folders / "patches/manifest.csv").open(newline="") as file:
        return {row["photo"]: row["notes"] for row in csv.DictReader(file)}


def test_every_split_has_the_lr_of_the_folder_in_one_size(folders):
    place = patches_of(folders)
    store = PatchStore(place / "train")
    for row, photo in enumerate(store.photos):
        record, (hr, lr) = store.record(row), store.pair(row)
        rows, columns = (slice(corner, corner + 16) for corner in (record.top, record.left))
        assert record.reduced_to == 1.0
        assert (lr == darker(int(Path(photo).stem))[rows, columns]).all()
        assert hr.shape == (64, 64, 3)
    for split in ("validation", "test"):
        own = dict(whole_images(place / f"{split}_lr"))
        assert own.keys() == dict(whole_images(place / split)).keys()
        assert all((lr == darker(int(Path(name).stem[-1]))).all() for name, lr in own.items())
    assert not skipped(folders)
    assert all(
        "LR of its own, correlation 0.9" in n or "1.00" in n for n in notes(folders).values()
    )


def test_validation_enlarges_the_folders_lr(folders):
    place, seen = patches_of(folders), []

    def upscale(_, lr):
        seen.append(lr)
        return np.zeros((96, 128, 3), np.uint8)

    validator(place / "validation", 4, upscale)(None)
    assert [lr.tolist() for lr in seen] == [darker(2).tolist(), darker(3).tolist()]


def test_the_lr_of_an_earlier_run_is_removed(folders):
    patches_of(folders)
    photos_of(folders, lr="bicubic")
    metrics = folders / "metrics.json"
    extract(folders / "data/photos", folders / "patches", SETTINGS, scale=4, metrics=metrics)
    assert not [*folders.glob("patches/*_lr/*")]


def test_each_pair_that_does_not_fit_is_named_and_the_others_go_on(folders):
    lr = folders / "lr/train"
    (lr / "4.png").unlink()
    (lr / "5.png").write_bytes((lr / "5.png").read_bytes()[:900])
    Image.fromarray(darker(6)[:-1]).save(lr / "6.png")
    Image.fromarray(np.roll(darker(7), 2, axis=1)).save(lr / "7.png")
    Image.fromarray(darker(3)).save(folders / "lr/test/1.png")
    store = PatchStore(patches_of(folders, replace(SETTINGS, max_skipped=0.6)) / "train")
    assert set(store.photos) == {"train/8.png"}
    told = skipped(folders)
    assert told["train/4.png"] == "has no LR picture in data.lr. Add one of the same name"
    assert told["train/5.png"].startswith("has an LR picture that is cut off")
    assert told["train/6.png"] == "has an LR picture of the wrong size (got 32x23, not 32x24)"
    assert told["train/7.png"].startswith(
        "has an LR picture that is shifted (got +1.0 to the right"
    )
    assert told["test/1.png"].startswith("has an LR picture of something else")
    assert [*told] == sorted(told)


def test_too_many_bad_pairs_fail_the_stage(folders):
    for path in (folders / "lr/train").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"5 of 9 photographs cannot be used \(got 5 without an LR"):
        patches_of(folders)


def test_lr_may_have_another_format_and_a_suffix_and_lr_alone_is_listed(folders):
    lr = folders / "lr/train"
    (lr / "4.png").rename(lr / "4x4.png")
    Image.fromarray(darker(5)).save(lr / "5.webp", lossless=True)
    (lr / "5.png").unlink()
    (lr / "6.png").rename(lr / "other.png")
    photos = {photo.photo: Path(photo.lr).name for photo in photos_of(folders)}
    assert photos["train/4.png"] == "4x4.png"
    assert photos["train/5.png"] == "5.webp"
    assert not photos["train/6.png"]
    with (folders / "data/photos/others.csv").open(newline="") as file:
        (other,) = csv.DictReader(file)
    assert other == {"file": str(lr / "other.png"), "reason": "is an LR picture without HR"}


@pytest.mark.parametrize(
    ("lr", "sentence"),
    [
        ("hr/train", "one folder lies in the other"),
        (".", "one folder lies in the other"),
        ("none", r"cannot list a folder .got .*none: No such file"),
        ("empty", r"no file has the name of a photograph .got nothing in"),
    ],
)
def test_a_folder_that_cannot_hold_lr_is_refused(lr, sentence, folders):
    (folders / "empty").mkdir()
    with pytest.raises(DataError, match=rf"^data\.lr: {sentence}"):
        photos_of(folders, lr=str(folders / lr))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"lr": "/lr"}, "data.lr: must be bicubic where photos is auto"),
        ({"photos": "div2k", "lr": "official", "lr_share": 0.5}, "data.lr_share: must be 1 unless"),
        ({"photos": "/hr", "lr": "/lr", "lr_share": 1.5}, "data.lr_share: must be a share"),
        ({"official_lr": True}, "data.official_lr: this key is now data.lr"),
    ],
)
def test_settings_that_contradict_each_other_are_named(values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        check(values, PhotosSettings, "data")
