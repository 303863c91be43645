"""Random crops per second from the patch store and from PNG files.

`python -m benchmarks.loading` cuts the same photographs into PNG patches and into stores (see
`benchmarks.patches`), then draws batches in turn for several rounds and shows medians. All ways
flip and turn and return float32 tensors. A DataLoader reads the PNG files without workers and with
two (`--workers`); the faster one is the baseline. The allocator is set as in training. With
`--device cuda` crops go on to the GPU: the files' by `.to()`, ours as in training
(`engine/prefetch`).
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from torch.utils.data import DataLoader

from benchmarks.patches import cut_into_store, list_photographs
from benchmarks.photographs import make_photographs
from benchmarks.plain import PATCH, SCALE, PngPatches, context, cut_all
from benchmarks.report import Cell, report
from srmodels.data.batches.paired import PatchSampler
from srmodels.data.store.reader import PatchStore
from srmodels.engine.prefetch import Prefetcher
from srmodels.machine import keep_freed_memory, resolve_device

BATCH, SIZES = 16, (24, PATCH)
_UNCOUNTED = 16  # first batches, more than a DataLoader prefetches

Draw = Callable[[int], Iterator[object]]  # LR pixels of a crop to batches


def _from_files(
    patch_size: int, *, folder: Path, workers: int, device: torch.device
) -> Iterator[object]:
    crops = PngPatches(folder, patch_size=patch_size, length=10**9)
    for pair in DataLoader(crops, batch_size=BATCH, num_workers=workers):
        yield [images.to(device) for images in pair]


def _from_store(patch_size: int, *, folder: Path, device: torch.device) -> Iterator[object]:
    store = PatchStore(folder / "train")
    source = PatchSampler(store, patch_size=patch_size, batch_size=BATCH, seed=0, scale=SCALE)
    with Prefetcher(source.batch, range(10**9), device=device) as batches:
        yield from batches


def _prepare(folder: Path, photos: int, device: torch.device, workers: int) -> dict[str, Draw]:
    """Cuts the photographs in every way; returns, by name, functions that draw batches of crops."""
    source = folder / "photos"
    source.mkdir()
    with context().Pool(workers) as pool:
        paths = make_photographs(source, photos, pool)
    list_photographs(paths, source)
    cut_all(paths, folder / "png", workers)
    for store in ("raw", "webp"):
        cut_into_store(source, folder / store, workers=workers, store=store)
    files = partial(_from_files, folder=folder / "png", device=device)
    return {
        "plain: PNG patches, DataLoader": partial(files, workers=0),
        f"the same, {workers} workers": partial(files, workers=workers),
        "ours, raw store": partial(_from_store, folder=folder / "raw", device=device),
        "ours, compact store": partial(_from_store, folder=folder / "webp", device=device),
    }


def _crops_per_second(batches: Iterator[object], seconds: float, device: torch.device) -> float:
    """Draws batches for some time, after a few that are not counted."""
    for _ in islice(batches, _UNCOUNTED):
        pass
    start, drawn = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        next(batches)
        drawn += BATCH
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return drawn / (time.perf_counter() - start)


def measure(
    ways: Mapping[str, Draw], device: torch.device, *, rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Crops per second of each way, for each crop size."""
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for size in SIZES:
            for name, draw in ways.items():
                rate = _crops_per_second(draw(size), seconds, device)
                rates.setdefault((name, size), []).append(rate)
    return {name: [median(rates[name, size]) for size in SIZES] for name in ways}


def run(
    device: torch.device,
    path: Path | None,
    *,
    photos: int,
    rounds: int,
    seconds: float,
    workers: int = 2,
) -> None:
    """Measures, prints the table and writes it to a file."""
    with TemporaryDirectory() as folder:
        ways = _prepare(Path(folder), photos, device, workers)
        rates = measure(ways, device, rounds=rounds, seconds=seconds)
    best = [max(pair) for pair in zip(*(rates[name] for name in list(rates)[:2]), strict=True)]
    rows: list[list[Cell]] = []
    for name, measured in rates.items():
        cells: list[Cell] = [name]
        for rate, plain in zip(measured, best, strict=True):
            cells += [round(rate), f"{rate / plain:.1f}x"]
        rows.append(cells)
    columns = ["way"]
    for size in SIZES:
        columns += [f"{size}/{SCALE * size} crops per second", "speed"]
    report(
        f"Random crops from {PATCH}/{SCALE * PATCH} patches, in batches of {BATCH}",
        columns,
        rows,
        settings={"photos": photos, "rounds": rounds, "seconds": seconds, "batch_size": BATCH}
        | {"patch_size": PATCH, "scale": SCALE, "device": device.type},
        path=path,
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--workers", type=int, default=2, help="of the DataLoader")
    parser.add_argument("--device", choices=["auto", "cuda", "cpu"], default="cpu")
    parser.add_argument("--json", type=Path, help="where to keep the table")
    given = parser.parse_args()
    keep_freed_memory()
    run(
        resolve_device(given.device),
        given.json,
        photos=given.photos,
        rounds=given.rounds,
        seconds=given.seconds,
        workers=given.workers,
    )


if __name__ == "__main__":
    main()
