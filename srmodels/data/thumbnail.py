"""A small grey picture of a photograph, cheaply: enough to tell whether two show the same.

Run as a program it is a process of `glance`: a path a line in (JSON, since names hold newlines),
the thumbnail's bytes in hexadecimal digits a line out, an empty line where there is no thumbnail.
"""

import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import rawpy
from numpy.typing import NDArray
from PIL import ExifTags, Image

from srmodels.data.colour import orient
from srmodels.data.decode import read
from srmodels.data.kinds import reader_of
from srmodels.errors import PhotoError

__all__ = ["SIDE", "thumbnail"]

SIDE = 32
_ORIENTATIONS = {3: 3, 5: 8, 6: 6}  # LibRaw's turns, as EXIF numbers them


def _shrunk(image: Image.Image) -> Image.Image:
    return image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)


def _of_jpeg(file: BinaryIO, turn: int = 1) -> tuple[NDArray[np.uint8], float]:
    """The thumbnail, and width over height before turning; `turn` where EXIF gives none."""
    image = Image.open(file, formats=("JPEG",))
    width, height = image.size
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    # libjpeg then decodes every eighth frequency only, and no colour
    image.draft("L", (4 * SIDE, 4 * SIDE))
    grey = np.asarray(_shrunk(image))
    return orient(grey, turn if orientation == 1 else orientation), width / height


def _of_raw(file: BinaryIO) -> NDArray[np.uint8] | None:
    """By the preview inside a RAW; None where it has none, or one with bars at its sides."""
    with rawpy.RawPy() as raw:
        raw.open_buffer(file)
        preview = raw.extract_thumb()
        if preview.format != rawpy.ThumbFormat.JPEG:
            return None
        sizes = raw.sizes
        turn = _ORIENTATIONS.get(sizes.flip, 1)
        grey, aspect = _of_jpeg(io.BytesIO(preview.data), turn)
    return grey if abs(aspect * sizes.height / sizes.width - 1) < 0.03 else None


def _cheaply(path: Path) -> NDArray[np.uint8] | None:
    with path.open("rb") as file:
        head = file.read(64)
        file.seek(0)
        if head.startswith(b"\xff\xd8\xff"):
            return _of_jpeg(file)[0]
        return _of_raw(file) if reader_of(head, path.suffix) == "raw" else None


def thumbnail(path: Path) -> NDArray[np.uint8]:
    """Looks at a photograph without decoding more of it than needed.

    JPEG is decoded at an eighth of its size, a RAW by the preview the camera put into it; every
    other kind, and what fails so, wholly.

    Returns:
        uint8 (32, 32), grey, upright, whatever the photograph's shape.

    Raises:
        PhotoError: The photograph cannot be decoded.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            grey = _cheaply(path)
        except Exception:  # noqa: BLE001 - the whole decoder says what is wrong, if anything is
            grey = None
    if grey is None:
        grey = np.asarray(_shrunk(Image.fromarray(read(path, half_size=True).pixels)))
    return grey


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # a C library that prints would spoil the answers
    for line in sys.stdin:
        try:
            text = thumbnail(Path(json.loads(line))).tobytes().hex()
        except PhotoError:
            text = ""
        answers.write(f"{text}\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
