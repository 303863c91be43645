"""The whole extraction: the same bytes for any number of processes, and bad input listed."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Executor, Future
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image

from srmodels.data.patches import extract as extraction
from srmodels.data.patches.extract import extract
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.photos.table import Photo, write_photos
from srmodels.data.store.reader import PatchStore
from srmodels.data.store.writer import ShardWriter
from srmodels.errors import DataError
from srmodels.images.readers.decode import decode
from srmodels.images.readers.folder import whole_images
from srmodels.resize.images import downscale
from tests.data.patches.stuck import Stuck
from tests.images.pictures import encoded, pattern, write

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


class InlineExecutor(Executor):
    """An executor without processes; `ended` holds the names of the tasks it has done."""

    ended: list[str]

    def __init__(self, count, preload):
        self.names = {}

    def slots(self):
        return 1

    def submit(self, work, task):
        future = Future()
        try:
            future.set_result(work(task))
        except DataError as error:
            future.set_exception(error)
        self.names[future] = task.name
        return future

    def result(self, future):
        InlineExecutor.ended.append(self.names[future])
        return future.result()


@pytest.fixture
def inline(monkeypatch):
    """Runs the tasks in this process, and tells which."""
    monkeypatch.setattr(extraction, "ProcessExecutor", InlineExecutor)
    InlineExecutor.ended = []
    return InlineExecutor.ended


def extracted(tmp_path, settings=SMALL, **options):
    folder = tmp_path / "patches"
    metrics = tmp_path / "metrics.json"
    extract(tmp_path / "photos", folder, settings, scale=4, metrics=metrics, **options)
    return folder


def fresh(tmp_path, settings=SMALL):
    """What a first run would make of the same photographs."""
    folder = tmp_path / "fresh"
    metrics = tmp_path / "fresh.json"
    extract(tmp_path / "photos", folder, settings, scale=4, metrics=metrics)
    return contents(folder) | {"metrics": metrics.read_bytes()}


def contents(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def counts(tmp_path):
    return json.loads((tmp_path / "metrics.json").read_text())


def test_every_stored_hr_patch_shrinks_to_its_lr_patch(inline, tmp_path):
    listing(tmp_path / "photos")
    store = PatchStore(extracted(tmp_path) / "train")
    inner = np.s_[3:-3, 3:-3]
    for row in range(len(store)):
        hr, lr = store.pair(row)
        assert np.abs(downscale(np.array(hr), 4)[inner].astype(int) - lr[inner]).max() <= 1
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


def test_photographs_are_cut_again_reduced_where_a_patch_fits(inline, tmp_path):
    listing(tmp_path / "photos")
    plain = len(PatchStore(extracted(tmp_path) / "train"))
    settings = replace(SMALL, also_reduced_to=(0.9, 0.75, 0.001))
    folder = extracted(tmp_path, settings) / "train"
    index = pd.read_csv(folder / "index.csv").query("photo == 'trip/0.png'")  # 80 x 90 pixels
    assert set(index["reduced_to"]) == {1.0, 0.9}  # 0.75 leaves 60 rows, 0.001 none; a patch has 64
    assert (pd.read_csv(folder / "index.csv")["reduced_to"] == 1).sum() == plain
    row = index[index["reduced_to"] == 0.9].iloc[0]
    size = (81, 72)
    small = Image.fromarray(photograph(0)).resize(size, Image.Resampling.LANCZOS)
    top, left = 4 * row["top"], 4 * row["left"]
    patch = np.load(folder / f"hr-{row['shard']:03d}.npy")[row["row"]]
    assert (patch == np.asarray(small)[top : top + 64, left : left + 64]).all()
    assert counts(tmp_path)["patches"] == {"train": len(PatchStore(folder))}


def test_reduced_photographs_keep_their_pairs_aligned(inline, tmp_path):
    listing(tmp_path / "photos")
    store = PatchStore(extracted(tmp_path, replace(SMALL, also_reduced_to=(0.9,))) / "train")
    inner = np.s_[3:-3, 3:-3]
    rows = [row for row in range(len(store)) if store.record(row).reduced_to < 1]
    assert rows
    for row in rows:
        hr, lr = store.pair(row)
        assert np.abs(downscale(np.array(hr), 4)[inner].astype(int) - lr[inner]).max() <= 1


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5])
def test_a_share_that_does_not_reduce_is_refused(share):
    with pytest.raises(ValueError, match="also_reduced_to must hold shares between 0 and 1"):
        replace(SMALL, also_reduced_to=(0.5, share))


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
    assert values["patches"] == {"train": len(PatchStore(folder / "train"))}
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
    assert set(PatchStore(tmp_path / "patches/train").photos) == {"trip/0.png", "trip/5.png"}
    assert counts(tmp_path)["photos_skipped"] == 4


def test_a_photograph_smaller_than_a_patch_is_skipped_with_both_sizes(inline, tmp_path):
    listing(tmp_path / "photos", train=12)
    write(tmp_path / "photos", "3.png", encoded(pattern(60, 90), "PNG"))
    extracted(tmp_path)
    assert "got 90x60 pixels, patch 64x64" in counts(tmp_path)["skipped"]["trip/3.png"]


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
    assert set(PatchStore(tmp_path / "patches/train").photos) == {"trip/0.png", "trip/1.png"}


def test_a_folder_that_cannot_be_written_is_one_line(inline, tmp_path):
    listing(tmp_path / "photos")
    (tmp_path / "patches").write_text("a file where a folder should be")
    with pytest.raises(DataError, match=r"patches.*: cannot be written \(got Not a directory\)"):
        extracted(tmp_path)


def test_a_full_disk_is_one_line_that_names_the_folder(inline, tmp_path, monkeypatch):
    def full(self, photo, pieces, reduced_to):
        raise OSError(28, "No space left on device")

    listing(tmp_path / "photos")
    monkeypatch.setattr(ShardWriter, "add", full)
    with pytest.raises(
        DataError, match=r"patches: cannot be written \(got No space left on device\)"
    ):
        extracted(tmp_path)
    assert not list((tmp_path / "patches/train").iterdir())


@pytest.mark.parametrize("stop", [1, 3])
def test_a_run_that_was_stopped_is_continued_by_the_next(stop, inline, tmp_path, monkeypatch):
    listing(tmp_path / "photos", train=12, damaged=[4])
    result = InlineExecutor.result

    def stopping(self, future):
        if len(inline) == stop:
            raise KeyboardInterrupt
        return result(self, future)

    monkeypatch.setattr(InlineExecutor, "result", stopping)
    with pytest.raises(KeyboardInterrupt):
        extracted(tmp_path, records=tmp_path / "records")
    assert not (tmp_path / "patches/train/index.csv").exists()
    first = set(inline)
    monkeypatch.setattr(InlineExecutor, "result", result)
    inline.clear()
    folder = extracted(tmp_path, records=tmp_path / "records")
    assert not first & set(inline)
    metrics = {"metrics": (tmp_path / "metrics.json").read_bytes()}
    assert contents(folder) | metrics == fresh(tmp_path)


def again(tmp_path, inline, settings=SMALL, code=""):
    """Extracts once more; the names of the tasks that were done, shortened."""
    inline.clear()
    extracted(tmp_path, settings, records=tmp_path / "records", code=code)
    done = sorted(inline)
    assert contents(tmp_path / "patches") == {
        name: data for name, data in fresh(tmp_path, settings).items() if name != "metrics"
    }
    return [name.split("-")[0] for name in done]


def test_a_second_run_does_nothing_and_a_changed_photograph_costs_its_shard(inline, tmp_path):
    photos = listing(tmp_path / "photos", train=12)
    assert again(tmp_path, inline) == ["shard"] * 4 + ["whole"] * 2
    assert again(tmp_path, inline) == []
    write(tmp_path / "photos", "3.png", encoded(255 - photograph(3), "PNG"))
    photos[3] = replace(photos[3], sha256="f" * 64)
    write_photos(photos, tmp_path / "photos")
    assert again(tmp_path, inline) == ["shard"]
    write_photos(photos[1:], tmp_path / "photos")
    assert again(tmp_path, inline) == ["shard"]
    write_photos(photos[1:-1], tmp_path / "photos")
    assert again(tmp_path, inline) == []
    assert not any((tmp_path / "patches/test").iterdir())


def _cut_off(folder):
    path = folder / "train/hr-000.npy"
    path.write_bytes(path.read_bytes()[:-1])


def _replace(folder):
    (folder / "train/hr-000.npy").write_bytes((folder / "train/hr-000.npy").read_bytes())


@pytest.mark.parametrize(
    ("harm", "redone"),
    [
        (lambda folder: (folder / "train/lr-000.npy").unlink(), ["shard"]),
        (lambda folder: next((folder / "test").iterdir()).unlink(), ["whole"]),
        (lambda folder: (folder / "train/index.csv").unlink(), []),
        (lambda folder: (folder / "train/stray.npy").write_bytes(b"left over"), []),
        (lambda folder: (folder / "../records/shard-000.json").write_text('{"finger'), ["shard"]),
        (_cut_off, ["shard"]),
        (_replace, ["shard"]),  # by another checkout, perhaps with other pixels
    ],
)
def test_what_was_harmed_since_is_done_again(harm, redone, inline, tmp_path):
    listing(tmp_path / "photos", train=12)
    again(tmp_path, inline)
    harm(tmp_path / "patches")
    assert again(tmp_path, inline) == redone


@pytest.mark.parametrize(
    ("change", "redone"),
    [
        ({"workers": 1, "max_skipped": 0.5, "seconds_per_photo": 3.0}, []),
        ({"stride": 16}, ["shard"] * 4),
        ({"min_side": 33}, ["shard"] * 4 + ["whole"] * 2),
        ({"shards": 5}, ["shard"] * 5),
        ({"store": "webp"}, ["shard"] * 4),
    ],
)
def test_a_setting_costs_what_depends_on_it(change, redone, inline, tmp_path):
    listing(tmp_path / "photos", train=12)
    again(tmp_path, inline)
    assert again(tmp_path, inline, replace(SMALL, **change)) == redone


def test_other_code_does_everything_again(inline, tmp_path):
    listing(tmp_path / "photos")
    everything = again(tmp_path, inline, code="one")
    assert again(tmp_path, inline, code="two") == everything


def test_what_may_pass_is_tried_again(inline, tmp_path):
    photos = listing(tmp_path / "photos", train=12)
    path = Path(photos[3].path)
    path.rename(path.with_suffix(".away"))
    again(tmp_path, inline)
    assert "cannot be opened" in counts(tmp_path)["skipped"][photos[3].photo]
    path.with_suffix(".away").rename(path)
    assert again(tmp_path, inline) == ["shard"]
    assert not counts(tmp_path)["skipped"]


def official(tmp_path, change):
    """Photographs of which the first comes with an LR picture, changed."""
    photos = listing(tmp_path / "photos", train=12)
    made = downscale(decode(Path(photos[0].path))[:80, :88], 4)
    path = write(tmp_path / "lr", "0x4.png", encoded(change(made), "PNG"))
    digest = sha256(path.read_bytes()).hexdigest()
    photos[0] = replace(photos[0], lr=str(path), lr_sha256=digest, lr_from="official")
    write_photos(photos, tmp_path / "photos")
    return photos[0].photo


def test_the_official_lr_is_taken_where_there_is_one(inline, tmp_path):
    photo = official(tmp_path, lambda lr: lr ^ 1)
    store = PatchStore(extracted(tmp_path) / "train")
    for row, name in enumerate(store.photos):
        hr, lr = store.pair(row)
        made = downscale(np.array(hr), 4)
        assert (((made ^ lr)[3:-3, 3:-3] == 1).mean() > 0.9) == (name == photo)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda lr: lr[:-1], "of the wrong size (got 22x19, not 22x20)"),
        (lambda lr: np.roll(lr, 1, axis=1), "that does not fit (got "),
        (lambda lr: lr[::-1], "that does not fit (got "),
    ],
)
def test_an_lr_picture_that_does_not_fit_is_told(change, sentence, inline, tmp_path):
    photo = official(tmp_path, change)
    extracted(tmp_path)
    assert f"has an LR picture {sentence}" in counts(tmp_path)["skipped"][photo]


def test_an_lr_picture_that_is_broken_is_told(inline, tmp_path):
    photo = official(tmp_path, lambda lr: lr)
    path = tmp_path / "lr/0x4.png"
    path.write_bytes(path.read_bytes()[:300])
    extracted(tmp_path)
    assert counts(tmp_path)["skipped"][photo].startswith("has an LR picture that is cut off")


def test_another_lr_picture_costs_its_shard(inline, tmp_path):
    official(tmp_path, lambda lr: lr)
    again(tmp_path, inline)
    official(tmp_path, lambda lr: lr ^ 1)
    assert again(tmp_path, inline) == ["shard"]


def test_kinds_of_damage_are_counted(inline, tmp_path, caplog):
    photos = listing(tmp_path / "photos", train=20, damaged=[1, 2, 3])
    write(tmp_path / "photos", "5.png", b"Dear diary, today it rained.")
    write(tmp_path / "photos", "6.png", encoded(pattern(20, 90), "PNG"))
    Path(photos[7].path).unlink()
    with pytest.raises(DataError, match="6 of 22 photographs cannot be used") as caught:
        extracted(tmp_path)
    kinds = "3 damaged, 1 not a picture, 1 too small, 1 unreadable"
    assert f"6 of 22 photographs skipped: {kinds}" in caplog.text
    assert kinds in str(caught.value)
    manifest = pd.read_csv(tmp_path / "patches/manifest.csv", keep_default_na=False)
    assert Counter(manifest["skipped"] != "") == {True: 6, False: 16}
    extracted(tmp_path, replace(SMALL, max_skipped=0.3))


@pytest.mark.slow
def test_any_number_of_processes_writes_the_same_bytes(tmp_path):
    listing(tmp_path / "photos", train=12, damaged=[4])
    one = contents(extracted(tmp_path, replace(SMALL, workers=1)))
    metrics = (tmp_path / "metrics.json").read_bytes()
    assert contents(extracted(tmp_path)) == one
    assert (tmp_path / "metrics.json").read_bytes() == metrics


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="uses a pipe that never ends as a photograph")
def test_a_photograph_that_takes_too_long_is_left_out_alone(tmp_path):
    photos = listing(tmp_path / "photos", train=12)
    Stuck(photos[3].path)
    folder = extracted(tmp_path, replace(SMALL, seconds_per_photo=4.0))
    assert counts(tmp_path)["skipped"] == {
        photos[3].photo: "takes longer than 4 seconds (patches.seconds_per_photo)"
    }
    assert set(PatchStore(folder / "train").photos) == {
        photo.photo for photo in photos[:12] if photo is not photos[3]
    }


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks for the process in /proc")
def test_a_killed_process_costs_one_photograph_and_names_it(tmp_path):
    photos = listing(tmp_path / "photos", train=12)
    stuck, over = Stuck(photos[3].path), threading.Event()

    def killer():
        while not over.is_set():
            if reader := stuck.reader(0.5):
                reader.kill()
                psutil.wait_procs([reader])

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        folder = extracted(tmp_path)
    finally:
        over.set()
        thread.join()
    assert list(counts(tmp_path)["skipped"]) == [photos[3].photo]
    assert "crashed or was killed" in counts(tmp_path)["skipped"][photos[3].photo]
    assert set(PatchStore(folder / "train").photos) == {
        photo.photo for photo in photos[:12] if photo is not photos[3]
    }


EXTRACT = """
import sys
from pathlib import Path
from srmodels.data.patches.cut import PatchSettings
from srmodels.data.patches.extract import extract
if __name__ == "__main__":
    root = Path(sys.argv[1])
    settings = PatchSettings(patch_size=16, stride=12, workers=2, shards=4)
    extract(root / "photos", root / "patches", settings, scale=4, metrics=root / "metrics.json",
            records=root / "records")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="uses a pipe that never ends as a photograph")
def test_a_killed_extraction_is_continued_by_the_next(tmp_path):
    photos = listing(tmp_path / "photos", train=12)
    stuck = Stuck(photos[3].path)
    command = [sys.executable, "-c", EXTRACT, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        records = tmp_path / "records"
        while not records.is_dir() or len(list(records.glob("*.json"))) < 5:
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    assert not (tmp_path / "patches/train/index.csv").exists()
    shards = {path: path.stat().st_mtime_ns for path in (tmp_path / "patches").rglob("*-*.npy")}
    assert shards
    stuck.mend()
    folder = extracted(tmp_path, records=records)
    assert shards.items() <= {path: path.stat().st_mtime_ns for path in shards}.items()
    metrics = {"metrics": (tmp_path / "metrics.json").read_bytes()}
    assert contents(folder) | metrics == fresh(tmp_path)


PEAK = """
import sys
from pathlib import Path
import srmodels.data.patches.preload  # what a worker begins with
from srmodels.data.executor.task import Task
from srmodels.data.patches.cut import PatchSettings
from srmodels.data.patches.worker import SCRATCH, cut_task
from srmodels.data.photos.table import Photo
folder, photo, number = Path(sys.argv[1]), sys.argv[2], 4
(folder / SCRATCH).mkdir(parents=True)
status = lambda key: int(Path("/proc/self/status").read_text().split(key + ":")[1].split()[0])
Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
before = status("VmRSS")
photos = [Photo(f"{each}", "train", photo, 1, "") for each in range(number)]
own, done = cut_task(Task("one", tuple(photos)), PatchSettings(stride=32), 4, folder)
assert len(done.rows) > 100 * number
print(1024 * (status("VmHWM") - before))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the kernel counts")
def test_the_peak_of_memory_is_what_the_docstring_says_for_any_number_of_photographs(tmp_path):
    pixels = np.zeros((3000, 3000, 3), np.uint8)
    pixels[::7, ::5] = 200
    write(tmp_path, "large.png", encoded(pixels, "PNG", compress_level=1))
    command = [sys.executable, "-c", PEAK, str(tmp_path), str(tmp_path / "large.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    expected = 4 + 3 * (64 / 32) ** 2 * (1 + 1 / 16)
    assert 0.7 < int(done.stdout) / pixels[..., 0].size / expected < 1.3
