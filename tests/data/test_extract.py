"""The whole extraction: the same bytes for any number of processes, and bad input listed."""

import json
import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from srmodels.data import extract as extraction
from srmodels.data import pool
from srmodels.data.cut import PatchSettings
from srmodels.data.decode import decode
from srmodels.data.extract import extract
from srmodels.data.photos import Photo, write_photos
from srmodels.data.pool import Task
from srmodels.data.shard_writer import ShardWriter
from srmodels.data.source import Store, whole_images
from srmodels.errors import DataError
from srmodels.resize import reduce_image

from .pictures import encoded, pattern, write

SMALL = PatchSettings(patch_size=16, stride=12, workers=2, shards=4)


def photograph(number):
    picture = pattern(80 + 3 * number, 90 + number)
    picture[:, :, 0] = np.roll(picture[:, :, 0], number)
    return picture


def listing(folder, *, train=6, damaged=()):
    """Writes photographs and their table; `damaged` are numbers of training photographs."""
    photos = []
    for number in range(train + 2):
        split = "train" if number < train else ("validation", "test")[number - train]
        data = encoded(photograph(number), "PNG")
        path = write(folder, f"{number}.png", data[:500] if number in damaged else data)
        photos.append(Photo(f"trip/{number}.png", split, str(path), len(data), f"{number:064d}"))
    write_photos(photos, folder)
    return photos


@pytest.fixture
def inline(monkeypatch):
    """Runs the tasks in this process: everything but the processes themselves."""
    monkeypatch.setattr(
        extraction, "run", lambda work, tasks, **_: {task.name: work(task) for task in tasks}
    )


def extracted(tmp_path, settings=SMALL):
    folder = tmp_path / "patches"
    extract(tmp_path / "photos", folder, settings, scale=4, metrics=tmp_path / "metrics.json")
    return folder


def contents(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def counts(tmp_path):
    return json.loads((tmp_path / "metrics.json").read_text())


def test_every_stored_hr_patch_shrinks_to_its_lr_patch(inline, tmp_path):
    listing(tmp_path / "photos")
    store = Store(extracted(tmp_path) / "train")
    inner = np.s_[3:-3, 3:-3]
    for row in range(len(store)):
        hr, lr = store.pair(row)
        assert np.abs(reduce_image(np.array(hr), 4)[inner].astype(int) - lr[inner]).max() <= 1
    store.verify()


def test_rows_of_the_index_lead_back_to_the_photograph(inline, tmp_path):
    listing(tmp_path / "photos")
    folder = extracted(tmp_path) / "train"
    index = pd.read_csv(folder / "index.csv")
    assert set(index["photo"]) == {f"trip/{number}.png" for number in range(6)}
    row = index.iloc[7]
    picture = decode(tmp_path / "photos" / Path(row["photo"]).name)
    top, left = 4 * row["top"], 4 * row["left"]
    patch = np.load(folder / f"hr-{row['shard']:03d}.npy")[row["row"]]
    assert (patch == picture[top : top + 64, left : left + 64]).all()


def test_validation_and_test_stay_whole_and_lossless(inline, tmp_path):
    listing(tmp_path / "photos")
    folder = extracted(tmp_path)
    for split, number in (("validation", 6), ("test", 7)):
        ((name, image),) = whole_images(folder / split)
        assert name == f"trip__{number}"
        height, width = photograph(number).shape[:2]
        assert (image == photograph(number)[: height // 4 * 4, : width // 4 * 4]).all()


def test_one_changed_photograph_rewrites_one_shard(inline, tmp_path):
    listing(tmp_path / "photos", train=12)
    before = contents(extracted(tmp_path))
    write(tmp_path / "photos", "3.png", encoded(255 - photograph(3), "PNG"))
    after = contents(extracted(tmp_path))
    changed = {name for name in before if before[name] != after[name]}
    assert {name.split("-")[0] for name in changed} == {"train/hr", "train/lr", "train/index.csv"}
    assert len(changed) == 3


def test_a_broken_photograph_is_skipped_and_listed_with_its_reason(inline, tmp_path, caplog):
    listing(tmp_path / "photos", train=12, damaged=[4])
    folder = extracted(tmp_path)
    values = counts(tmp_path)
    assert values["photos_read"] == 13
    assert values["photos_skipped"] == 1
    assert values["skipped"] == {"trip/4.png": "is cut off inside its chunk IDAT"}
    manifest = pd.read_csv(folder / "manifest.csv", keep_default_na=False)
    assert manifest.set_index("photo").loc["trip/4.png", "skipped"].startswith("is cut off")
    assert "skipped trip/4.png: is cut off" in caplog.text


def test_counts_agree_with_the_store(inline, tmp_path):
    listing(tmp_path / "photos")
    folder = extracted(tmp_path)
    values = counts(tmp_path)
    assert values["patches"] == {"train": len(Store(folder / "train"))}
    assert values["whole_images"] == {"validation": 1, "test": 1}
    pixels = sum(photograph(number)[..., 0].size for number in range(8))
    assert values["megapixels"] == round(pixels / 1e6, 3)


def test_too_many_broken_photographs_fail_at_the_end_and_lose_nothing(inline, tmp_path):
    listing(tmp_path / "photos", damaged=[1, 2, 3, 4])
    with pytest.raises(
        DataError, match=r"4 of 8 photographs cannot be used .*max_skipped"
    ) as caught:
        extracted(tmp_path)
    assert "\n" not in str(caught.value)
    assert "trip/1.png is cut off" in str(caught.value)
    assert set(Store(tmp_path / "patches/train").photos) == {"trip/0.png", "trip/5.png"}
    assert counts(tmp_path)["photos_skipped"] == 4


def test_a_photograph_smaller_than_a_patch_is_skipped_with_both_sizes(inline, tmp_path):
    listing(tmp_path / "photos", train=12)
    write(tmp_path / "photos", "3.png", encoded(pattern(60, 90), "PNG"))
    extracted(tmp_path)
    assert "found 90x60 pixels; 64x64 or more" in counts(tmp_path)["skipped"]["trip/3.png"]


def test_nothing_to_train_on_is_said(inline, tmp_path):
    listing(tmp_path / "photos", train=0)
    with pytest.raises(DataError, match="nothing to train on"):
        extracted(tmp_path)


def test_a_second_run_leaves_nothing_of_the_first(inline, tmp_path):
    listing(tmp_path / "photos", train=12)
    extracted(tmp_path)
    listing(tmp_path / "photos", train=2)
    again = contents(extracted(tmp_path))
    assert {name.split("/")[0] for name in again} == {"manifest.csv", "train", "validation", "test"}
    assert set(Store(tmp_path / "patches/train").photos) == {"trip/0.png", "trip/1.png"}


def test_a_folder_that_cannot_be_written_is_one_line(inline, tmp_path):
    listing(tmp_path / "photos")
    (tmp_path / "patches").write_text("a file where a folder should be")
    with pytest.raises(DataError, match=r"patches.*: cannot be written \(Not a directory\)"):
        extracted(tmp_path)


def test_a_full_disk_is_one_line_that_names_the_folder(inline, tmp_path, monkeypatch):
    def full(self, photo, pieces):
        raise OSError(28, "No space left on device")

    listing(tmp_path / "photos")
    monkeypatch.setattr(ShardWriter, "add", full)
    with pytest.raises(DataError, match=r"patches: cannot be written \(No space left on device\)"):
        extracted(tmp_path)
    assert not list((tmp_path / "patches/train").iterdir())


@pytest.mark.slow
def test_any_number_of_processes_writes_the_same_bytes(tmp_path):
    listing(tmp_path / "photos", train=12, damaged=[4])
    one = contents(extracted(tmp_path, replace(SMALL, workers=1)))
    metrics = (tmp_path / "metrics.json").read_bytes()
    assert contents(extracted(tmp_path)) == one
    assert (tmp_path / "metrics.json").read_bytes() == metrics


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks for the process in /proc")
def test_a_killed_process_costs_one_photograph_and_names_it(tmp_path):
    photos = listing(tmp_path / "photos", train=12)
    Path(photos[3].path).unlink()
    os.mkfifo(photos[3].path)  # reading it waits for ever, so the process can be killed at it
    over = threading.Event()

    def reads_it(process):
        with suppress(OSError):
            opened = Path(f"/proc/{process.pid}/fd").iterdir()
            return Path(photos[3].path).resolve() in [path.resolve() for path in opened]
        return False

    def killer():
        while not over.wait(0.02):
            try:
                pipe = os.open(photos[3].path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it now
                continue
            readers = []
            while not readers and not over.is_set():
                processes = psutil.Process().children(recursive=True)
                readers = [process for process in processes if reads_it(process)]
            for process in readers:
                process.kill()
                process.wait()
            os.close(pipe)

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        folder = extracted(tmp_path)
    finally:
        over.set()
        thread.join()
    assert list(counts(tmp_path)["skipped"]) == [photos[3].photo]
    assert "crashed or was killed" in counts(tmp_path)["skipped"][photos[3].photo]
    assert set(Store(folder / "train").photos) == {
        photo.photo for photo in photos[:12] if photo is not photos[3]
    }


def test_the_diary_counts_and_forgets(tmp_path):
    diary = pool.Diary(tmp_path)
    photo = Photo("trip/a.png", "train", "a.png", 1, "")
    task = Task("one", (photo,))
    assert diary.at(task) is None
    diary.begin(task, photo)
    assert diary.at(task) == "trip/a.png"
    diary.done(task, 1)
    diary.end(task)
    assert diary.at(task) is None
    assert diary.total() == 1
