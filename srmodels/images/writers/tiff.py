"""TIFF strip by strip: of any size (BigTIFF beyond 4 GiB), 8 or 16 bits, with its metadata.

Specification: Adobe, "TIFF Revision 6.0", 1992; the EXIF directories: EXIF 2.32, section 4.6.3.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import tifffile
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from srmodels.images.colour import Pixels
from srmodels.images.metadata import Metadata
from srmodels.images.writers.row_stream import RowBuffer, RowStream

__all__ = ["write_tiff"]

_STRIP = 2**20  # bytes, about
_LEVEL = 4  # as in PNG
_CLASSIC = 2**32 - 2**25  # bytes that 32-bit offsets reach, less some for metadata
_ASCII, _LONG, _BYTE = 2, 4, 1
_XMP, _PREDICTOR = 700, 2
_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_WRITTEN = {int(each) for each in _DIRECTORIES} | {0x0112, 0x011A, 0x011B, 0x0128}

_Tag = tuple[int, int, int, object, bool]  # code, kind, count, value, only once


def _strip(rows: Pixels) -> bytes:
    """Rows as differences along each row (section 14), compressed."""
    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]
    return zlib.compress(differences.astype(rows.dtype.newbyteorder("<")).tobytes(), _LEVEL)


def _strips(sheet: RowStream, some: int) -> Iterator[bytes]:
    held = RowBuffer(sheet.bands)
    for top in range(0, sheet.height, some):
        yield _strip(held.rows(top, min(top + some, sheet.height)))


def _exif(metadata: Metadata) -> Image.Exif:
    exif = Image.Exif()
    if metadata.exif:
        exif.load(metadata.exif)
    return exif


def _tags(metadata: Metadata) -> list[_Tag]:
    """What tifffile does not know; directories get their place later."""
    exif = _exif(metadata)
    tags: list[_Tag] = [
        (code, _ASCII, 0, value, True)
        for code, value in exif.items()
        if isinstance(value, str) and value.isascii() and code not in _WRITTEN
    ]
    # tifffile refuses the codes of directories; one less is free and sorts alike
    tags += [(each - 1, _LONG, 1, 0, True) for each in _DIRECTORIES if each in exif]
    if metadata.xmp:
        tags.append((_XMP, _BYTE, len(metadata.xmp), metadata.xmp, True))
    return [*tags, (int(ExifTags.Base.Orientation), 3, 1, 1, True)]


def _add_directories(file: BinaryIO, metadata: Metadata) -> None:
    """Writes the EXIF and GPS directories at the end and enters where they are."""
    exif = _exif(metadata)
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        head = b"II+\0\x08\0\0\0" + bytes(8) if tiff.is_bigtiff else b"II*\0" + bytes(4)
        for each in _DIRECTORIES:
            if each not in exif:
                continue
            directory = ImageFileDirectory_v2(head, group=each)
            for code, value in exif.get_ifd(each).items():
                directory[code] = value
            place = file.seek(0, 2)
            place += file.write(b"\0" * (place % 2))  # on a word boundary
            file.write(directory.tobytes(place))
            tag = tiff.pages.first.tags[each - 1]
            tag.overwrite(place)
            file.seek(tag.offset)
            file.write(struct.pack("<H", each))


def write_tiff(file: BinaryIO, sheet: RowStream) -> None:
    """Writes a picture as its rows come.

    Args:
        file: Opened for writing and reading.
        sheet: The picture.
    """
    metadata, some = sheet.metadata, max(1, _STRIP // sheet.row_bytes)
    colour = sheet.channels - (sheet.channels + 1) % 2
    with tifffile.TiffWriter(
        file, bigtiff=sheet.height * sheet.row_bytes > _CLASSIC, byteorder="<"
    ) as tiff:
        tiff.write(
            _strips(sheet, some),
            shape=(sheet.height, sheet.width, *([sheet.channels] if sheet.channels > 1 else [])),
            dtype=np.uint8 if sheet.bits == 8 else np.uint16,
            photometric="rgb" if colour == 3 else "minisblack",
            planarconfig="contig" if sheet.channels > 1 else None,
            extrasamples=["unassalpha"] if colour < sheet.channels else None,
            rowsperstrip=some,
            compression="adobe_deflate",
            predictor=_PREDICTOR,
            iccprofile=metadata.icc,
            resolution=metadata.dpi,
            resolutionunit="inch" if metadata.dpi else None,
            extratags=_tags(metadata),
            metadata=None,
            software=False,
        )
    if metadata.exif:
        _add_directories(file, metadata)
