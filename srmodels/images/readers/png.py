"""PNG: every chunk's checksum is compared, and plain 8-bit pictures are decoded twice as fast.

Pillow stays the reader of what is rare (palettes, 16 bits, grey with alpha, marked colours) and of
the metadata; tests hold both to the same pixels.
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
_PLAIN = {0: "mono", 2: "rgb", 6: "rgba"}
# section 8.2, Adam7: first column and row, steps between columns and rows
_WHOLE = ((0, 0, 1, 1),)
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)),
    *((1, 0, 2, 2), (0, 1, 1, 2)),
)


def _chunks(body: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each chunk with its place in the file, up to the end chunk."""
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
    """Compares every chunk's checksum: Pillow looks at the headers' only.

    Raises:
        PhotoError: One differs, or the file ends too early.
    """
    view = memoryview(body)
    for kind, start, end in _chunks(body):
        if zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise PhotoError(f"is damaged: the checksum of its chunk {kind.decode('latin-1')}")


def check_rows(body: bytes) -> None:
    """Refuses a checked file with fewer rows than its header says: Pillow leaves them black.

    Raises:
        PhotoError: Rows are missing.
        zlib.error: The compressed data is damaged in spite of its checksums.
    """
    width, height, depth, colour, interlaced = _HEADER.unpack_from(body)
    bits = depth * _CHANNELS[colour]
    needed = 0
    for left, top, right, down in _PASSES if interlaced else _WHOLE:
        columns, rows = (width - left + right - 1) // right, (height - top + down - 1) // down
        needed += rows * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    inflate = zlib.decompressobj()
    found = 0
    for kind, start, end in _chunks(body):
        if kind == b"IDAT":
            found += len(inflate.decompress(body[start + 8 : end - 4]))
    if found < needed:
        raise PhotoError("is cut off: its last rows are missing")


def decode_png(body: bytes, image: Image.Image) -> NDArray[np.uint8] | None:
    """Decodes a plain picture of 8 bits; None where Pillow has to.

    Args:
        body: The whole file, checked.
        image: The same, opened by Pillow and not loaded.

    Returns:
        uint8 (H, W) or (H, W, 3), with Pillow's values.

    Raises:
        PhotoError: Some pixel is transparent.
    """
    *_, depth, colour, _ = _HEADER.unpack_from(body)
    if depth != 8 or colour not in _PLAIN or "transparency" in image.info:
        return None
    if any(kind == b"acTL" for kind, _, _ in _chunks(body)):
        return None
    size = (image.height, image.width)
    try:
        pixels: NDArray[np.uint8] = kornia_rs.io.decode_image_png_u8(body, size, _PLAIN[colour])
    except Exception:  # noqa: BLE001 - whatever it says, Pillow gives the picture or the reason
        return None
    if _PLAIN[colour] == "rgba":
        check_alpha(pixels[..., 3])
    return pixels[..., 0] if _PLAIN[colour] == "mono" else pixels[..., :3]


def orientation_of_png(body: bytes, image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8, without decoding: it may come after the pixels.

    Args:
        body: The whole file, checked.
        image: The same, opened by Pillow and not loaded.
    """
    kinds = [kind for kind, _, _ in _chunks(body)]
    last = len(kinds) - 1 - kinds[::-1].index(b"IDAT")
    if kinds[last + 1 :] != [b"IEND"]:
        # Pillow stops reading at the pixels; without them it reads all there is
        headers = [body[start:end] for kind, start, end in _chunks(body) if kind != b"IDAT"]
        image = Image.open(io.BytesIO(b"".join([body[:8], *headers])), formats=("PNG",))
    # PngImageFile.getexif decodes the picture where it has found none
    return int(Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1))
