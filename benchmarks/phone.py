"""Time, memory and file size of enlarging a phone's photograph with `srmodels upscale`.

`python -m benchmarks.phone PHOTO.heic --alone` enlarges it in PNG and JPEG with the weights of the
last `make repro`, and a part of one megapixel with Real-ESRGAN's x4plus, whose time grows with the
pixels. Every run has a process of its own, as a user starts it. Minutes are shown only with
--alone, which says that nothing else ran on the machine; CPU seconds are of all threads.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pillow_heif
from PIL import Image, ImageOps

from benchmarks.report import Cell, report
from srmodels.machine import repository

TRAINED, PUBLIC = "weights/generator.safetensors", "realesrgan-x4plus"
PART = 1152, 864  # pixels, one megapixel
QUALITY = 90  # of HEIC
COLUMNS = ("weights", "LR megapixels", "format", "minutes", "CPU seconds", "peak memory", "file")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one run of `srmodels upscale`."""

    seconds: float
    cpu: float
    peak: int  # bytes
    written: int  # bytes


def enlarge(photo: Path, weights: str, file_format: str, folder: Path) -> Cost:
    """Runs the command on one photograph."""
    words = ["upscale", str(photo), "-o", str(folder), "--weights", weights]
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "srmodels.cli.main", *words, "--format", file_format],
        cwd=repository(),
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"srmodels upscale: failed (got status {status}). See the lines above.")
    (result,) = folder.iterdir()
    return Cost(
        seconds=seconds,
        cpu=used.ru_utime + used.ru_stime,
        peak=used.ru_maxrss * 1024,
        written=result.stat().st_size,
    )


def cropped(photo: Path, target: Path) -> Path:
    """The middle of a photograph, upright, as HEIC."""
    with Image.open(photo) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    pillow_heif.from_pillow(ImageOps.fit(upright, PART)).save(target, quality=QUALITY)
    return target


def megapixels(photo: Path) -> float:
    """Of a photograph, in millions of pixels."""
    with Image.open(photo) as image:
        return image.width * image.height / 1e6


def row(name: str, size: float, file_format: str, cost: Cost, *, alone: bool) -> list[Cell]:
    """A line of the table."""
    return [
        name,
        f"{size:.1f}",
        file_format.upper(),
        f"{cost.seconds / 60:.1f}" if alone else "-",
        f"{cost.cpu:.0f}",
        f"{cost.peak / 2**20:.0f} MiB",
        f"{cost.written / 1e6:.0f} MB",
    ]


def measure(photo: Path, *, weights: str, public: str, alone: bool) -> list[list[Cell]]:
    """The table's rows; the last one multiplies the part's cost by the pixels."""
    whole, rows = megapixels(photo), []
    with TemporaryDirectory() as place:
        part = cropped(photo, Path(place, "part.heic"))
        for name, source, path, file_format in (
            ("quickstart", weights, photo, "png"),
            ("quickstart", weights, photo, "jpeg"),
            (PUBLIC, public, part, "jpeg"),
        ):
            folder = Path(place, f"{name}-{file_format}")
            folder.mkdir()
            cost = enlarge(path, source, file_format, folder)
            rows.append(row(name, megapixels(path), file_format, cost, alone=alone))
    times = whole * 1e6 / (PART[0] * PART[1])
    scaled = Cost(seconds=cost.seconds * times, cpu=cost.cpu * times, peak=0, written=0)
    line = row(f"{PUBLIC}, extrapolated", whole, "jpeg", scaled, alone=alone)
    return [*rows, [*line[:5], "-", "-"]]


def main() -> None:
    """Prints the table."""
    pillow_heif.register_heif_opener()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photo", type=Path, help="such as a HEIC of 12 megapixels")
    parser.add_argument("--weights", default=TRAINED, help="of the quickstart")
    parser.add_argument("--public", default=PUBLIC, help="a name of `srmodels weights`, or a file")
    parser.add_argument("--alone", action="store_true", help="nothing else runs: print minutes")
    parser.add_argument("--json", type=Path, help="where to keep the table")
    given = parser.parse_args()
    rows = measure(given.photo, weights=given.weights, public=given.public, alone=given.alone)
    settings: dict[str, Cell] = {"megapixels": round(megapixels(given.photo), 1)}
    report(
        "A phone's photograph through srmodels upscale",
        COLUMNS,
        rows,
        settings=settings,
        path=given.json,
    )


if __name__ == "__main__":
    main()
