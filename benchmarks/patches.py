"""How fast photographs become training patches, by this package and by the plain way.

`python -m benchmarks.patches` makes photographs (`benchmarks.photographs`), cuts them on two
processes in each way in turn and prints the medians of several rounds, after one that starts the
fork server and warms the disk's cache. Ours reduces to LR by the protocol, the plain way by Pillow.
"""

import argparse
import hashlib
import multiprocessing
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch

from benchmarks.photographs import HEIGHT, WIDTH, make_photographs
from benchmarks.plain import PATCH, SCALE, context, cut_all
from benchmarks.report import Cell, report
from benchmarks.usage import Peak
from srmodels.data.patches.extract import extract
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.photos.table import Photo, write_photos
from srmodels.data.store.files import Layout
from srmodels.images.readers.decode import decode


@dataclass
class Way:
    """A way of doing the work, and its measurements.

    Attributes:
        name: In the table.
        work: Writes patches into an empty folder.
        seconds: Of each round.
        memory: Private bytes of the largest process of each round.
        bytes: Of the patches on disk.
    """

    name: str
    work: Callable[[Path], None]
    seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    bytes: int = 0

    def round(self, folder: Path) -> None:
        """Works and measures once."""
        folder.mkdir()
        peak = Peak()
        peak.start()
        start = time.perf_counter()
        self.work(folder)
        self.seconds.append(time.perf_counter() - start)
        self.memory.append(peak.stop())
        self.bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder)

    def forget(self) -> None:
        """Drops the measurements."""
        self.seconds.clear()
        self.memory.clear()


def list_photographs(paths: Sequence[Path], folder: Path) -> None:
    """Writes photos.csv, with all photographs in the training split."""
    rows = []
    for path in paths:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append(Photo(path.name, "train", str(path.resolve()), path.stat().st_size, digest))
    write_photos(rows, folder)


def cut_into_store(source: Path, folder: Path, *, workers: int, store: Layout = "raw") -> None:
    """Our way: what the stage `patches` calls."""
    settings = PatchSettings(patch_size=PATCH, stride=PATCH, workers=workers, store=store)
    extract(source, folder, settings, scale=SCALE, metrics=folder / "metrics.json")


def _decode(path: Path) -> None:
    decode(path)  # no pixels are sent back


def _decode_all(photos: Sequence[Path], workers: int) -> None:
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    with ProcessPoolExecutor(workers, context, partial(torch.set_num_threads, 1)) as pool:
        list(pool.map(_decode, photos))


def measure(folder: Path, *, photos: int, workers: int, rounds: int) -> list[Way]:
    """Measures every way, in turn."""
    source = folder / "photos"
    source.mkdir()
    with context().Pool(workers) as pool:
        paths = make_photographs(source, photos, pool)
    list_photographs(paths, source)
    ours = partial(cut_into_store, source, workers=workers)
    ways = [
        Way("plain: Pillow, PNG patches", partial(cut_all, paths, workers=workers)),
        Way("ours, raw store", ours),
        Way("ours, compact store", partial(ours, store="webp")),
        Way("decoding alone", lambda _: _decode_all(paths, workers)),
    ]
    for number in range(rounds + 1):
        for way in ways:
            way.round(folder / "work")
            if number == 0:
                way.forget()
    return ways


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to keep the table")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        counts = {"photos": args.photos, "workers": args.workers, "rounds": args.rounds}
        ways = measure(Path(folder), **counts)
    seconds = [median(way.seconds) for way in ways]
    megapixels = args.photos * WIDTH * HEIGHT / 1e6
    rows: list[list[Cell]] = [
        [
            way.name,
            round(megapixels / spent, 1),
            f"{seconds[0] / spent:.1f}x",
            f"{spent / seconds[-1]:.2f}x",
            round(median(way.memory) / 1e6),
            round(way.bytes / 1e6) if way.bytes else "-",
        ]
        for way, spent in zip(ways, seconds, strict=True)
    ]
    report(
        f"{args.photos} photographs of {WIDTH} x {HEIGHT} pixels (PNG) to {PATCH}/{SCALE * PATCH} "
        f"patches, {args.workers} processes",
        ["way", "MP/s", "speed", "time / decoding", "MB per process", "MB on disk"],
        rows,
        settings={**counts, "patch_size": PATCH, "scale": SCALE},
        path=args.json,
    )


if __name__ == "__main__":
    main()
