"""How long this checkout takes to decode photographs, compared with another one.

`git worktree add ../before REVISION`, then `python -m benchmarks.decoding ../before`. The same
pictures (those of the scikit-image and scikit-learn wheels, as JPEG, PNG and HEIC) are decoded by
both in turn, each in a process of its own; a round's time is the processor's, and the ratio of two
rounds that follow each other is now to before.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pillow_heif
from PIL import Image

from benchmarks.photographs import CHOICE
from srmodels.data.datasets.bundled import copy_bundled, read_choice

_WORKER = """
import json, sys, time
from pathlib import Path
from srmodels.images.readers.decode import decode
for line in sys.stdin:
    paths = [Path(name) for name in json.loads(line)]
    start = time.process_time()
    for path in paths:
        decode(path)
    print(time.process_time() - start, flush=True)
"""
_FORMATS = {"JPEG": {"quality": 90}, "PNG": {}, "HEIF": {"quality": 80}}


class _Checkout:
    """A process that decodes by a checkout's code."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(folder.resolve()), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WORKER],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, paths: list[Path]) -> float:
        """The processor's time to decode all of them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([str(path) for path in paths]), file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def stop(self) -> None:
        """Ends the process."""
        self._process.communicate()


def main() -> None:
    """Prints a line per format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="another checkout")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    pillow_heif.register_heif_opener()
    before, now = _Checkout(options.before), _Checkout(Path(__file__).parents[1])
    with TemporaryDirectory() as name:
        photos = [path for _, path in copy_bundled(read_choice(CHOICE), Path(name))]
        for kind, settings in _FORMATS.items():
            paths = [Path(name) / f"{number:03d}.{kind}" for number in range(len(photos))]
            for photo, path in zip(photos, paths, strict=True):
                with Image.open(photo) as image:
                    image.convert("RGB").save(path, kind, **settings)
            times: list[tuple[float, float]] = []
            for number in range(options.rounds + 1):  # the first one is not counted
                first, second = (before, now) if number % 2 else (now, before)
                pair = {checkout: checkout.seconds(paths) for checkout in (first, second)}
                times.append((pair[before], pair[now]))
            times = times[1:]
            columns = list(zip(*times, strict=True))
            print(
                f"{kind}, {len(paths)} pictures: before {1000 * min(columns[0]):.1f} ms, now "
                f"{1000 * min(columns[1]):.1f} ms (least of {len(times)}); ratio "
                f"{median(after / first for first, after in times):.3f} (median)"
            )
    before.stop()
    now.stop()


if __name__ == "__main__":
    main()
