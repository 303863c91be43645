"""Every file of a folder through both doors: `python -m tests.corpus FOLDER`.

A worker process with limited memory and time reads each file as extraction and as upscaling do. A
picture is compared with libvips (pyvips) and ImageMagick, where they are installed: it is called
wrong if each of them that opens the file shows another one, unless a note says that colours were
converted by what neither knows (cICP, gAMA, EXIF), or a third decoder or the format's description
has shown that both are wrong (KNOWN). Prints crashes, hangs, wrong pictures, and a
summary; the exit code is 1 if there are any.
"""

import argparse
import hashlib
import multiprocessing
import resource
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from srmodels.errors import PhotoError
from srmodels.images.readers.decode import read
from srmodels.images.readers.source_image import read_image

MEMORY = 8 * 2**30
SECONDS = 60  # of the processor
WAIT = 20 * SECONDS  # other programs may have the processor
SAME = 4.0  # mean difference of 255
# notes on what libvips and ImageMagick show otherwise, or not at all
APART = ("converted from", "tone-mapped", "is CMYK", "its first picture is a thumbnail")
# both references are ImageMagick 6 for these; by the first digits of the file's SHA-256
KNOWN = {
    "f8ae32cc34bbbc15": "masks of 1 to 3 bits: it never reaches 255 (bmpsuite's rgb16-231.bmp)",
    "e2597b53091d7349": "OS/2: its palette is misread; Pillow agrees with us (pal8os2v2.bmp)",
}


def _by_vips(path: Path) -> np.ndarray | None:
    try:
        import pyvips
    except ImportError:
        return None
    try:
        image = pyvips.Image.new_from_file(str(path), access="random").autorot()
        if image.get_typeof("icc-profile-data"):
            image = image.icc_transform(
                "srgb", depth=8, intent="relative", black_point_compensation=True
            )
        image = image.colourspace("srgb")
        if image.hasalpha():
            image = image[: image.bands - 1]
        pixels = image.cast("uchar").numpy()
    except pyvips.Error:
        return None
    return np.broadcast_to(np.atleast_3d(pixels)[..., :3], (*pixels.shape[:2], 3))


def _by_magick(path: Path) -> np.ndarray | None:
    program = shutil.which("magick") or shutil.which("convert")
    if program is None:
        return None
    command = [program, f"{path}[0]", "-auto-orient", "-alpha", "off", "-colorspace", "sRGB"]
    command += ["-depth", "8", "-format", "%w %h\\n", "-write", "info:-", "rgb:-"]
    try:
        found = subprocess.run(command, capture_output=True, timeout=WAIT, check=False)
        size, _, pixels = found.stdout.partition(b"\n")
        width, height = map(int, size.split())
        return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    except (subprocess.TimeoutExpired, ValueError):
        return None


def _difference(pixels: np.ndarray, other: np.ndarray) -> float:
    if pixels.shape != other.shape:
        return 255.0
    return float(np.abs(pixels.astype(np.int16) - other).mean())


def _is_left_in_video_range(pixels: np.ndarray, other: np.ndarray) -> bool:
    """Whether libheif, which both references use, left grey between 16 and 235."""
    is_grey = bool((pixels == pixels[..., :1]).all())
    levels = ((other.astype(np.float32) - 16) * (255 / 219)).clip(0, 255)
    return is_grey and _difference(pixels, levels) <= SAME


def _compare(path: Path, pixels: np.ndarray, notes: tuple[str, ...]) -> tuple[str, str]:
    references = {"libvips": _by_vips(path), "ImageMagick": _by_magick(path)}
    found = {
        name: _difference(pixels, other) for name, other in references.items() if other is not None
    }
    text = ", ".join(f"{name} {difference:.1f}" for name, difference in found.items())
    if not found or min(found.values()) <= SAME:
        return "read", text
    others = [other for other in references.values() if other is not None]
    is_heif = path.read_bytes()[4:8] == b"ftyp"
    if is_heif and all(_is_left_in_video_range(pixels, other) for other in others):
        return "explained", "grey of video's range, which libheif does not widen"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    if digest in KNOWN:
        return "explained", KNOWN[digest]
    return ("converted" if any(note.startswith(APART) for note in notes) else "wrong"), text


def examine(path: Path) -> tuple[str, str]:
    """The verdict (read, converted, explained, refused, wrong or crash) and its reason."""
    results = []
    for door in (lambda: read(path, hdr="tonemap"), lambda: read_image(path)):
        try:
            results.append(door())
        except PhotoError as error:
            results.append(str(error))
        except Exception as error:  # noqa: BLE001 - what this tool is for
            return "crash", repr(error)
    decoded, image = results
    if isinstance(decoded, str):  # extraction refuses transparency, too
        if isinstance(image, str) or "partly transparent" in decoded:
            return "refused", decoded
        return "wrong", f"only extraction refuses it: {decoded}"
    if isinstance(image, str):
        return "wrong", f"only upscaling refuses it: {image}"
    image = image.without_profile() if image.metadata.icc else image
    values = image.colour / (257 if image.colour.dtype == np.uint16 else 1)
    doors = _difference(decoded.pixels, np.broadcast_to(values, (*values.shape[:2], 3)))
    if doors > 1:
        return "wrong", f"the doors differ by {doors:.1f}"
    if decoded.kind == "RAW":
        return "read", "the references show its thumbnail, or develop it by other settings"
    return _compare(path, decoded.pixels, decoded.notes)


def _work(pipe: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    while (path := pipe.recv()) is not None:
        limit = int(time.process_time()) + 1 + SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        pipe.send(examine(path))


class _Worker:
    """A process that is started again when it dies or hangs."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, inner = context.Pipe()
        self._process = context.Process(target=_work, args=(inner,), daemon=True)
        self._process.start()
        inner.close()

    def run(self, path: Path) -> tuple[str, str]:
        self._pipe.send(path)
        verdict = ("hang", f"took over {WAIT} s")
        try:
            if self._pipe.poll(WAIT):
                return self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            verdict = ("crash", f"the process ended with {self._process.exitcode}")
            if self._process.exitcode == -signal.SIGXCPU:
                verdict = ("hang", f"took over {SECONDS} s of the processor")
        self._process.kill()
        self._process.join()
        self._start()
        return verdict

    def stop(self) -> None:
        self._pipe.send(None)
        self._process.join()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="prints every file's verdict")
    options = parser.parse_args(arguments)
    worker, counts = _Worker(), Counter[str]()
    for path in sorted(path for path in options.folder.rglob("*") if path.is_file()):
        verdict, reason = worker.run(path)
        counts[verdict] += 1
        if options.all or verdict in ("crash", "hang", "wrong"):
            print(f"{verdict}: {path.relative_to(options.folder)}: {reason}", flush=True)
    worker.stop()
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return int(any(counts[verdict] for verdict in ("crash", "hang", "wrong")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
