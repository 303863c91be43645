"""Pictures and files that the tests of this room write for themselves."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image


def pattern(height: int = 96, width: int = 128) -> NDArray[np.uint8]:
    """A colour picture with edges and texture, different in all four corners."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / 5 + y / 9), np.cos(x / 3), np.sin(y / 4 - x / 11)], axis=-1)
    picture = 110 + 60 * waves + 12 * rng.standard_normal((height, width, 3))
    picture[: height // 3, : width // 4] += (70, -40, 0)
    return picture.clip(0, 255).astype(np.uint8)


def noise_16bit(height: int = 40, width: int = 56, channels: int = 3) -> NDArray[np.uint16]:
    """All of 16 bits: noise over a slope."""
    rng = np.random.default_rng(1)
    values = rng.integers(0, 65536, (height, width, channels))
    return values.astype(np.uint16)


def rounded(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The oracle for 16 bits to 8."""
    return np.floor(values.astype(np.float64) * 255 / 65535 + 0.5).astype(np.uint8)


def _paeth(a: NDArray[np.int16], b: NDArray[np.int16], c: NDArray[np.int16]) -> NDArray[np.int16]:
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))


# Adam7: first row, first column, steps between rows and between columns
_PASSES = (
    *((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2)),
    *((0, 1, 2, 2), (1, 0, 2, 1)),
)


def _scanlines(values: NDArray[np.integer], bits: int) -> bytes:
    """The rows of one pass, with all five filters in turn (PNG specification, section 9)."""
    height, _, channels = values.shape
    places = np.arange(bits - 1, -1, -1)
    rows = np.packbits((values[..., None] >> places & 1).reshape(height, -1), axis=1)
    rows = rows.astype(np.int16)
    step = max(1, bits * channels // 8)
    left = np.pad(rows, ((0, 0), (step, 0)))[:, : rows.shape[1]]
    up = np.pad(rows, ((1, 0), (0, 0)))[:height]
    corner = np.pad(left, ((1, 0), (0, 0)))[:height]
    guesses = (0 * rows, left, up, (left + up) // 2, _paeth(left, up, corner))
    filtered = [(rows - guess) % 256 for guess in guesses]
    return b"".join(
        bytes([y % 5]) + filtered[y % 5][y].astype(np.uint8).tobytes() for y in range(height)
    )


def png(
    values: NDArray[np.integer],
    bits: int,
    *,
    palette: bytes = b"",
    interlaced: bool = False,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A PNG of any kind.

    Args:
        values: (H, W, C) below 2 to the power of `bits`: grey, grey and alpha, RGB or RGBA.
        bits: 1, 2, 4, 8 or 16.
        palette: RGB triples that the values point to.
        interlaced: By Adam7.
        before: Chunks that go before the pixels.
        after: Chunks that go after them.
    """
    height, width, channels = values.shape
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    parts = [values[top::down, left::right] for top, left, down, right in passes]
    body = b"".join(_scanlines(part, bits) for part in parts if part.size)
    colour = 3 if palette else {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"PLTE", palette) if palette else b"")
        + before
        + chunk(b"IDAT", zlib.compress(body))
        + after
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encoded(picture: NDArray[np.uint8] | Image.Image, kind: str, **options: object) -> bytes:
    """A picture as the bytes of a file, by Pillow."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff16(values: NDArray[np.uint16], **options: object) -> bytes:
    """A 16-bit TIFF, by tifffile."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


# sRGB's linear values from CIE XYZ (IEC 61966-2-1), as a DNG's ColorMatrix1
_FROM_XYZ = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))


BAYER = ((0, 1), (1, 2))
# Fujifilm's, from dcraw
X_TRANS = (
    *((1, 2, 1, 1, 0, 1), (0, 1, 0, 2, 1, 2), (1, 2, 1, 1, 0, 1)),
    *((1, 0, 1, 1, 2, 1), (2, 1, 2, 0, 1, 0), (1, 0, 1, 1, 2, 1)),
)


def dng(
    linear: NDArray[np.float64],
    neutral: tuple[float, ...] = (1, 1, 1),
    turn: int = 1,
    filters: tuple[tuple[int, ...], ...] | None = BAYER,
    tags: tuple[tuple[object, ...], ...] = (),
    **options: object,
) -> bytes:
    """A DNG of a camera whose colours are sRGB's.

    Args:
        linear: (H, W, 3), linear sRGB in [0, 1].
        neutral: What the camera records of white; the decoder has to undo it.
        turn: The orientation tag.
        filters: The colours (0 red, 1 green, 2 blue) in front of the sensor; None: a linear DNG,
            which has all three at every pixel.
        tags: Further ones, as tifffile takes them.
        options: How tifffile stores it.
    """
    height, width = linear.shape[:2]
    values = (linear * np.array(neutral) * 60000).round().astype(np.uint16)
    tags = [*tags, (50717, 4, 1 if filters else 3, 60000 if filters else (60000,) * 3, True)]
    if filters:
        side = len(filters)
        colours = np.tile(filters, (height // side + 1, width // side + 1))[:height, :width]
        values = np.take_along_axis(values, colours[..., None], axis=2)[..., 0]
        flat = tuple(colour for row in filters for colour in row)
        tags += [(33421, 3, 2, (side, side), True), (33422, 1, side**2, flat, True)]
    matrix = [part for row in _FROM_XYZ for value in row for part in (round(value * 1e4), 10000)]
    white = [part for value in neutral for part in (round(value * 1e6), 1000000)]
    tags += [
        (274, 3, 1, turn, True),
        (50706, 1, 4, (1, 4, 0, 0), True),
        (50708, 2, 5, "test", True),
        (50721, 10, 9, matrix, True),
        (50728, 5, 3, white, True),
        (50778, 3, 1, 21, True),
    ]
    kind = 32803 if filters else 34892
    return tiff16(values, photometric=kind, metadata=None, extratags=tags, **options)


def write(folder: Path, name: str, data: bytes) -> Path:
    """Writes a file and returns its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
