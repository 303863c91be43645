"""PBM, PGM and PPM, plain and raw, of up to 16 bits (the Netpbm manual, pages pbm, pgm, ppm)."""

import re
from typing import BinaryIO

import numpy as np

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels
from srmodels.images.limits import check_size
from srmodels.images.readers.raster import Raster

__all__ = ["read_netpbm"]

_TOKEN = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*([0-9]+)")
_COMMENT = re.compile(rb"#[^\n\r]*")


def _header(body: bytes, count: int) -> tuple[list[int], int]:
    """Numbers of the header, and the place of the pixels."""
    numbers, at = [], 2
    for _ in range(count):
        match = _TOKEN.match(body, at)
        if match is None or len(match[1]) > 9:
            raise PhotoError("is damaged (its header)")
        numbers.append(int(match[1]))
        at = match.end()
    return numbers, at + 1


def _plain(text: bytes, count: int, *, bits: bool) -> Pixels:
    text = _COMMENT.sub(b" ", text)
    parts = text.split(maxsplit=count)[:count]
    if bits:  # digits need no space between them
        digits = b"".join(text.split())[:count]
        parts = [digits[k : k + 1] for k in range(len(digits))]
    try:
        values = [int(part) for part in parts]
    except ValueError:
        raise PhotoError("is damaged (a value is no number)") from None
    if len(values) < count:
        raise PhotoError("is cut off: its last rows are missing")
    if not all(0 <= value < 65536 for value in values):
        raise PhotoError("is damaged (a value is too large)")
    return np.array(values, np.uint16)


def read_netpbm(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads P1 to P6; values are scaled from the header's maximum to 8 bits, or 16 beyond 255."""
    file.seek(0)
    body = file.read()
    kind = body[1] - ord("0")
    is_bitmap, channels = kind in (1, 4), 3 if kind in (3, 6) else 1
    numbers, start = _header(body, 2 if is_bitmap else 3)
    width, height, top = (*numbers, 1)[:3]
    if not (width and height and 0 < top < 65536):
        raise PhotoError("is damaged (its header)")
    check_size(width, height, max_pixels)
    count = width * height * channels
    values: Pixels
    if kind <= 3:
        values = _plain(body[start - 1 :], count, bits=is_bitmap)
    else:
        row_bytes = (width + 7) // 8 if is_bitmap else width * channels * (1 + (top > 255))
        if start + row_bytes * height > len(body):
            raise PhotoError("is cut off: its last rows are missing")
        data = np.frombuffer(body, np.uint8, row_bytes * height, start)
        if is_bitmap:
            values = np.unpackbits(data.reshape(height, row_bytes), axis=1)[:, :width].ravel()
        else:
            values = data if top < 256 else data.view(">u2").astype(np.uint16)
    if int(values.max()) > top:
        raise PhotoError(f"is damaged (a value is above its maximum of {top})")
    full = 255 if top < 256 else 65535
    if is_bitmap:  # 1 is black
        values = 1 - values
    if top != full:
        table = (np.arange(top + 1, dtype=np.uint32) * full + top // 2) // top
        values = table[values]  # type: ignore[assignment]
    pixels: Pixels = np.asarray(values, np.uint8 if full == 255 else np.uint16)
    return Raster(values=pixels.reshape(height, width, channels), kind="PPM", notes=notes)
