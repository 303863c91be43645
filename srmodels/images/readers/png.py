"""PNG: checks every chunk's checksum, and decodes plain 8-bit images twice as fast as Pillow.

Pillow reads what is rare (palettes, 16 bits, grey with alpha, marked colours) and the metadata.
"""

import io
import struct
import zlib
from collections.abc import Iterator

import kornia_rs
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from srmodels.errors import PhotoError
from srmodels.images.colour import check_alpha

__all__ = ["check_png", "check_rows", "decode_png", "orientation_of_png"]

# PNG specification, section 11.2.1: the header chunk, always the first
_HEADER = struct.Struct(">16xIIBBxxB")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_KORNIA_MODES = {0: "mono", 2: "rgb", 6: "rgba"}
# section 8.2, Adam7: first column and row, steps between columns and rows
_ONE_PASS = ((0, 0, 1, 1),)
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)),
    *((1, 0, 2, 2), (0, 1, 1, 2)),
)


def _chunks(body: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The kind, start and end of each chunk, up to the end chunk."""
    start = 8
    while start < len(body):
        kind = body[start + 4 : start + 8]
        end = start + 12 + int.from_bytes(body[start : start + 4], "big")
        if end > len(body):
            raise PhotoError(f"is cut off inside its chunk {kind.decode('latin-1')}")
        yield kind, start, end
        if kind == b"IEND":
            return
        start = end
    raise PhotoError("is cut off: it has no end")


def check_png(body: bytes) -> None:
    """Raises PhotoError if a checksum differs or the file ends early.

    Pillow checks the headers only.
    """
    view = memoryview(body)
    for kind, start, end in _chunks(body):
        if zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise PhotoError(f"is damaged: the checksum of its chunk {kind.decode('latin-1')}")


def check_rows(body: bytes) -> None:
    """Raises PhotoError if a checked file has fewer rows than its header says.

    Pillow leaves missing rows black. Damaged data with valid checksums raises zlib.error.
    """
    width, height, depth, colour, interlaced = _HEADER.unpack_from(body)
    bits = depth * _CHANNELS[colour]
    needed = 0
    for left, top, right, down in _ADAM7 if interlaced else _ONE_PASS:
        columns, rows = (width - left + right - 1) // right, (height - top + down - 1) // down
        needed += rows * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    inflate = zlib.decompressobj()
    if needed > sum(
        len(inflate.decompress(body[start + 8 : end - 4]))
        for kind, start, end in _chunks(body)
        if kind == b"IDAT"
    ):
        raise PhotoError("is cut off: its last rows are missing")


def decode_png(body: bytes, image: Image.Image) -> NDArray[np.uint8] | None:
    """Decodes a plain 8-bit image with kornia-rs to Pillow's values; None if Pillow has to.

    Takes the whole file, checked, and the same opened by Pillow. Returns uint8 (H, W) or (H, W, 3).
    Raises PhotoError if a pixel is transparent.
    """
    *_, depth, colour, _ = _HEADER.unpack_from(body)
    if depth != 8 or colour not in _KORNIA_MODES or "transparency" in image.info:
        return None
    if any(kind == b"acTL" for kind, _, _ in _chunks(body)):
        return None
    mode, size = _KORNIA_MODES[colour], (image.height, image.width)
    try:
        pixels: NDArray[np.uint8] = kornia_rs.io.decode_image_png_u8(body, size, mode)
    except Exception:  # noqa: BLE001 - Pillow then gives the image or the reason
        return None
    if mode == "rgba":
        check_alpha(pixels[..., 3])
    return pixels[..., 0] if mode == "mono" else pixels[..., :3]


def orientation_of_png(body: bytes, image: Image.Image) -> int:
    """EXIF orientation, 1 to 8, without decoding; takes what `decode_png` does."""
    kinds = [kind for kind, _, _ in _chunks(body)]
    last = len(kinds) - 1 - kinds[::-1].index(b"IDAT")
    if kinds[last + 1 :] != [b"IEND"]:
        # Pillow stops reading at the pixels; without them it reads the chunks behind them, too
        headers = [body[start:end] for kind, start, end in _chunks(body) if kind != b"IDAT"]
        image = Image.open(io.BytesIO(b"".join([body[:8], *headers])), formats=("PNG",))
    # PngImageFile.getexif would decode the image
    return int(Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1))
