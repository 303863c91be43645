"""CCITT fax data by libtiff, checked: where data is missing, libtiff leaves rows white or unset.

ITU-T T.4 and T.6 give each row one code, so the rows are encoded again, and the file's data has to
begin with that code.
"""

import io
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.errors import PhotoError
from srmodels.images.readers.tiff.directories import Tag, directories

__all__ = ["FAX", "fax_rows"]

FAX = {2: "tiff_ccitt", 3: "group3", 4: "group4"}  # Pillow's names
_GROUP_3_2D, _GROUP_4 = 1, 4  # of the tag T4_OPTIONS, and a compression
_END_OF_BLOCK = "000000000001" * 2  # of group 4
_DPI = (100, 200)  # for two-dimensional group 3, a row in two or in four is coded on its own


def _bits(data: bytes) -> str:
    return f"{int.from_bytes(data):0{8 * len(data)}b}" if data else ""


def _codes(rows: NDArray[np.bool_], compression: int, options: int) -> Iterator[str]:
    """The bits that an encoder may write for these rows."""
    for dpi in _DPI if compression == 3 and options & _GROUP_3_2D else _DPI[:1]:
        buffer = io.BytesIO()
        info = {Tag.ROWS_PER_STRIP.value: len(rows), Tag.T4_OPTIONS.value: options}
        Image.fromarray(rows).save(
            buffer, "TIFF", compression=FAX[compression], tiffinfo=info, dpi=(dpi, dpi)
        )
        (page,), *_ = directories(buffer)
        buffer.seek(page.integer(Tag.STRIP_OFFSETS))
        code = _bits(buffer.read(page.integer(Tag.STRIP_SIZES))).rstrip("0")
        yield code.removesuffix(_END_OF_BLOCK) if compression == _GROUP_4 else code


def fax_rows(
    segments: list[bytes],
    rows: list[int],
    compression: int,
    options: int,
    decode: Callable[[bytes, int, dict[Tag, int]], NDArray[np.bool_]],
) -> NDArray[np.uint8]:
    """The rows of all strips or tiles, one below the other, 8 pixels a byte.

    Args:
        segments: The data of each, its bits in the order of FillOrder 1.
        rows: The rows of each.
        compression: One of FAX.
        options: The tag T4Options.
        decode: Reads data of a count of rows with these tags.

    Raises:
        PhotoError: Data is missing or damaged, or was written by an encoder of an own kind.
    """
    tags = {Tag.COMPRESSION: compression, Tag.BITS: 1}
    tags |= {Tag.T4_OPTIONS: options} if compression == 3 else {}
    parts = []
    for segment, count in zip(segments, rows, strict=True):
        pixels = decode(segment, count, tags)
        stored = _bits(segment)
        if not any(stored.startswith(code) for code in _codes(pixels, compression, options)):
            raise PhotoError("is damaged, or a fax whose data cannot be checked. Export it again")
        parts.append(np.packbits(pixels, axis=1))
    return np.concatenate(parts)
