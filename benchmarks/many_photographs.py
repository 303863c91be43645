"""Seconds and memory of many small photographs, listed, grouped by likeness and cut into patches.

`python -m benchmarks.many_photographs` makes textured JPEG photographs, every fiftieth a copy of
the one before it at a lower quality, and measures each stage for several numbers of them in a
process of its own: seconds, CPU seconds and the resident memory of the largest process. The
parabola through the last three numbers gives the estimates for 20,000. Linux only.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from benchmarks.report import Cell, report
from benchmarks.usage import Usage, command_usage
from srmodels.data.datasets.catalog import ImageFolder
from srmodels.data.patches.extract import extract
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.photos.scan import find_photos
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import write_photos
from srmodels.data.split import SPLITS
from srmodels.machine import cores

WIDTH, HEIGHT, SCALE, PATCH = 256, 192, 4, 32
STAGES = ("listed", "grouped", "cut")
_COPY_EVERY, _TARGET = 50, 20_000


def _photograph(number: int, folder: Path) -> None:
    """Noise with the spectrum of photographs, whose amplitude falls as one over the frequency."""
    copy = number % _COPY_EVERY == _COPY_EVERY - 1
    rng = np.random.default_rng(number - copy)
    rows, columns = np.fft.fftfreq(HEIGHT)[:, None], np.fft.rfftfreq(WIDTH)
    falling = 1 / np.maximum(np.hypot(rows, columns), 1 / WIDTH)
    noise = rng.normal(size=(3, HEIGHT, WIDTH))
    noise[1:] = 0.3 * noise[1:] + noise[0]  # mostly grey, as photographs are
    texture = np.fft.irfft2(np.fft.rfft2(noise) * falling, s=(HEIGHT, WIDTH))
    pixels = (128 + 45 * texture / texture.std()).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(pixels.transpose(1, 2, 0))
    image.save(folder / f"{number:05d}.jpg", quality=60 if copy else 90)


def make_photographs(folder: Path, numbers: Sequence[int]) -> None:
    """Writes JPEG photographs of 256 x 192 pixels, the same in every run."""
    folder.mkdir(exist_ok=True)
    with ProcessPoolExecutor(cores()) as pool:
        list(pool.map(partial(_photograph, folder=folder), numbers, chunksize=64))


def stage(name: str, photographs: Path, work: Path) -> None:
    """One of `STAGES`, as the pipeline calls it; `cut` reads the table that `listed` writes."""
    if name == "cut":
        settings = PatchSettings(patch_size=PATCH, stride=PATCH, workers=cores())
        extract(work, work / "patches", settings, scale=SCALE, metrics=work / "metrics.json")
        return
    group = name == "grouped"
    settings_of_photos = PhotosSettings(near_duplicates="group" if group else "ignore")
    sources = [ImageFolder("", photographs, SPLITS, None)]
    scan = find_photos(sources, settings_of_photos, scale=SCALE)
    if not group:
        write_photos(scan.photos, work)
        return
    copies = len(scan.photos) // _COPY_EVERY
    assert len(scan.groups) == copies, f"{copies} copies, {len(scan.groups)} groups"


def measure(folder: Path, counts: Sequence[int]) -> dict[str, list[Usage]]:
    """Makes so many photographs in turn and runs every stage on them."""
    found: dict[str, list[Usage]] = {name: [] for name in STAGES}
    photographs, made = folder / "photographs", 0
    for count in counts:
        make_photographs(photographs, range(made, count))
        made = count
        work = folder / f"work-{count}"
        work.mkdir()
        for name, usages in found.items():
            command = (sys.executable, "-m", "benchmarks.many_photographs", "--stage", name)
            log = folder / f"{name}-{count}.log"
            words = ("--photographs", str(photographs), "--work", str(work))
            code, usage = command_usage((*command, *words), Path.cwd(), os.environ, log)
            if code:
                sys.exit(f"{log.read_text()[-2000:]}\n{name}: failed (got exit code {code}).")
            usages.append(usage)
            print(f"{count} {name}: {usage}", file=sys.stderr, flush=True)
    return found


def extrapolated(counts: Sequence[int], values: Sequence[float]) -> float:
    """The value for 20,000 of the parabola through the last three."""
    return float(np.polyval(np.polyfit(counts[-3:], values[-3:], 2), _TARGET))


def _rows(counts: Sequence[int], found: dict[str, list[Usage]]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for name, usages in found.items():
        for what, unit, digits, values in (
            ("seconds", 1, 1, [usage.seconds for usage in usages]),
            ("CPU seconds", 1, 1, [usage.cpu for usage in usages]),
            ("MB", 1e6, 0, [usage.peak for usage in usages]),
        ):
            scaled = [value / unit for value in values]
            slopes = np.diff(scaled) / np.diff(counts)
            # of a further photograph, in the last interval and in the one before it
            growth = f"{slopes[-1] / slopes[-2]:.2f}" if len(slopes) > 1 and slopes[-2] else "-"
            last = extrapolated(counts, scaled) if len(counts) > 2 else float("nan")
            cells = [f"{value:.{digits}f}" for value in (*scaled, last)]
            rows.append([f"ours, {name}: {what}", *cells, growth])
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--counts", nargs="+", type=int, default=[500, 2000, 8000])
    parser.add_argument("--json", type=Path, help="where to keep the table")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--photographs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        stage(given.stage, given.photographs, given.work)
        return
    with TemporaryDirectory() as folder:
        rows = _rows(given.counts, measure(Path(folder), given.counts))
    report(
        f"photographs of {WIDTH} x {HEIGHT} pixels, listed, grouped and cut",
        ["stage", *(f"{count:,}" for count in given.counts), f"{_TARGET:,}: estimate", "growth"],
        rows,
        settings={"width": WIDTH, "height": HEIGHT, "patch_size": PATCH, "workers": cores()},
        path=given.json,
    )


if __name__ == "__main__":
    main()
