"""TIFF strip by strip: any size (BigTIFF beyond 4 GiB), 8 or 16 bits, with metadata.

Adobe, "TIFF Revision 6.0", 1992; EXIF directories: EXIF 2.32, section 4.6.3.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import tifffile
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from srmodels.images.colour import Pixels
from srmodels.images.metadata import Metadata
from srmodels.images.writers.row_stream import RowBuffer, RowStream

__all__ = ["write_tiff"]

_STRIP_BYTES = 2**20
_LEVEL = 4  # as in PNG
_MAX_CLASSIC = 2**32 - 2**25  # bytes that 32-bit offsets reach, less some for metadata
_BYTE, _ASCII, _SHORT, _LONG = 1, 2, 3, 4
_XMP, _PREDICTOR = 700, 2
_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
# tags that tifffile or this module writes
_RESERVED = {*map(int, _DIRECTORIES), 0x0112, 0x011A, 0x011B, 0x0128}


def _strips(stream: RowStream, rows_per_strip: int) -> Iterator[bytes]:
    """Compressed differences along each row (section 14)."""
    buffer = RowBuffer(stream.bands)
    for top in range(0, stream.height, rows_per_strip):
        rows: Pixels = buffer.rows(top, min(top + rows_per_strip, stream.height))
        differences = rows.copy()
        differences[:, 1:] -= rows[:, :-1]
        data = differences.astype(rows.dtype.newbyteorder("<")).tobytes()
        yield zlib.compress(data, _LEVEL)


def _exif(metadata: Metadata) -> Image.Exif:
    exif = Image.Exif()
    if metadata.exif:
        exif.load(metadata.exif)
    return exif


def _extra_tags(metadata: Metadata) -> list[tuple[int, int, int, object, bool]]:
    """Code, type, count, value and "write once" of what tifffile does not write by itself."""
    exif = _exif(metadata)
    tags: list[tuple[int, int, int, object, bool]] = []
    for code, value in exif.items():
        if code in _RESERVED:
            continue
        if isinstance(value, str):  # Pillow reads text as Latin-1
            tags.append((code, _ASCII, 0, value.encode("latin-1"), True))
        elif isinstance(value, bytes):  # Windows' title, comment and so on
            tags.append((code, _BYTE, len(value), value, True))
        elif isinstance(value, int):  # ratings
            tags.append((code, _SHORT, 1, value, True))
    # tifffile refuses the codes of directories; one less is free and sorts alike
    tags += [(directory - 1, _LONG, 1, 0, True) for directory in _DIRECTORIES if directory in exif]
    if metadata.xmp:
        tags.append((_XMP, _BYTE, len(metadata.xmp), metadata.xmp, True))
    return [*tags, (int(ExifTags.Base.Orientation), _SHORT, 1, 1, True)]


def _append_directories(file: BinaryIO, metadata: Metadata) -> None:
    """Appends the EXIF and GPS directories and sets the tags that point to them."""
    exif = _exif(metadata)
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        head = b"II+\0\x08\0\0\0" + bytes(8) if tiff.is_bigtiff else b"II*\0" + bytes(4)
        for code in _DIRECTORIES:
            if code not in exif:
                continue
            directory = ImageFileDirectory_v2(head, group=code)
            for key, value in exif.get_ifd(code).items():
                directory[key] = value
            offset = file.seek(0, 2)
            offset += file.write(b"\0" * (offset % 2))  # on a word boundary
            file.write(directory.tobytes(offset))
            tag = tiff.pages.first.tags[code - 1]
            tag.overwrite(offset)
            file.seek(tag.offset)
            file.write(struct.pack("<H", code))


def write_tiff(file: BinaryIO, stream: RowStream) -> None:
    """Writes the rows as they come, to a file opened for writing and reading."""
    metadata, channels = stream.metadata, stream.channels
    rows_per_strip = max(1, _STRIP_BYTES // stream.row_bytes)
    bigtiff = stream.height * stream.row_bytes > _MAX_CLASSIC
    with tifffile.TiffWriter(file, bigtiff=bigtiff, byteorder="<") as tiff:
        tiff.write(
            _strips(stream, rows_per_strip),
            shape=(stream.height, stream.width, *([channels] if channels > 1 else [])),
            dtype=stream.dtype,
            photometric="rgb" if channels >= 3 else "minisblack",
            planarconfig="contig" if channels > 1 else None,
            extrasamples=["unassalpha"] if channels in (2, 4) else None,
            rowsperstrip=rows_per_strip,
            compression="adobe_deflate",
            predictor=_PREDICTOR,
            iccprofile=metadata.icc,
            resolution=metadata.dpi,
            resolutionunit="inch" if metadata.dpi else None,
            extratags=_extra_tags(metadata),
            metadata=None,
            software=False,
        )
    if metadata.exif:
        _append_directories(file, metadata)
