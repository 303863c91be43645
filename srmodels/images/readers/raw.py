"""Camera RAW through LibRaw: the camera's white balance, and one exposure for all photographs."""

import io
import struct
from functools import partial
from typing import BinaryIO

import numpy as np
import rawpy
from numpy.typing import NDArray

from srmodels.errors import PhotoError
from srmodels.images.limits import check_size
from srmodels.images.readers.raster import Raster, exif_of_tiff, no_exif
from srmodels.images.readers.tiff.directories import Directory, Tag, directories, is_tiff

__all__ = ["read_raw"]

_DATA_TAGS = ((Tag.STRIP_OFFSETS, Tag.STRIP_SIZES), (Tag.TILE_OFFSETS, Tag.TILE_SIZES))
# DNG 1.7: what LibRaw passes over
_GAIN_MAP_LISTS, _GAIN_MAP = (51008, 51009, 51022), 9
_ORIENTATIONS = {0: 1, 1: 2, 3: 3, 2: 4, 4: 5, 6: 6, 7: 7, 5: 8}  # EXIF's, by LibRaw's


def _check_complete(parts: list[Directory], length: int) -> None:
    """Refuses pixels beyond the file's end: LibRaw fills the missing part of a lossy tile."""
    for directory in parts:
        if directory.is_reduced:
            continue
        for offsets, sizes in _DATA_TAGS:
            pairs = zip(directory.integers(offsets), directory.integers(sizes), strict=False)
            if any(offset + size > length for offset, size in pairs):
                raise PhotoError("is cut off: its pixels go on beyond its end")


def _opcodes(body: bytes) -> set[int]:
    """The numbers of the operations in a list (DNG 1.7, chapter 7)."""
    found, at = set[int](), 4
    while at + 16 <= len(body) and len(found) < 1000:
        number, _, _, size = struct.unpack_from(">4L", body, at)
        found.add(number)
        at += 16 + size
    return found


def _note_gain_maps(parts: list[Directory], notes: list[str]) -> None:
    if any(_GAIN_MAP in _opcodes(part.raw(tag)) for part in parts for tag in _GAIN_MAP_LISTS):
        notes.append("its gain map, against dark corners, is not applied")


def _crop(
    pixels: NDArray[np.uint16], parts: list[Directory], sizes: rawpy.ImageSizes, notes: list[str]
) -> NDArray[np.uint16]:
    """What the camera shows of the active area: DefaultCrop, DefaultUserCrop (DNG 1.7, chapter 4).

    `pixels` are not yet turned, and of the active area's size or half of it.
    """
    height, width = pixels.shape[:2]
    for part in parts:
        across, down = (*part.numbers(Tag.DNG_CROP_SIZE), 0, 0)[:2]
        stored = part.integer(Tag.WIDTH), part.integer(Tag.HEIGHT)
        if not (across and down) or stored != (sizes.raw_width, sizes.raw_height):
            continue
        left, top = (*part.numbers(Tag.DNG_CROP_ORIGIN), 0, 0)[:2]
        inner = part.numbers(Tag.DNG_USER_CROP)  # shares of that crop: top, left, bottom, right
        first_y, first_x, last_y, last_x = inner if len(inner) == 4 else (0, 0, 1, 1)
        step = round(sizes.height / height)
        rows = (round((top + share * down) / step) for share in (first_y, last_y))
        columns = (round((left + share * across) / step) for share in (first_x, last_x))
        (y, below), (x, beyond) = rows, columns
        is_inside = 0 <= y < below <= height and 0 <= x < beyond <= width
        if not is_inside or (-(-sizes.height // step), -(-sizes.width // step)) != (height, width):
            notes.append(f"is not cropped to the {across:.0f}x{down:.0f} that its camera shows")
        elif (below - y, beyond - x) != (height, width):
            notes.append(f"cropped to the {beyond - x}x{below - y} that its camera shows")
            return pixels[y:below, x:beyond]
        break
    return pixels


def read_raw(file: BinaryIO, *, half_size: bool, max_pixels: int, notes: list[str]) -> Raster:
    """Develops a RAW file to 16 bits, sRGB, cropped as its camera shows it.

    `half_size` makes one pixel of a 2x2 Bayer block, several times as fast; a linear DNG keeps its
    size. Raises PhotoError if the file is cut off or has more than `max_pixels`, rawpy.LibRawError
    if it is damaged or no RAW. Most RAW formats have no checksum: a changed bit can go unnoticed.
    """
    file.seek(0)
    body = file.read()  # LibRaw opens no name that is not UTF-8
    parts = [*directories(file)[0], *directories(file)[1]] if is_tiff(body[:4]) else []
    _check_complete(parts, len(body))
    with rawpy.RawPy() as raw:
        raw.open_buffer(io.BytesIO(body))
        check_size(raw.sizes.raw_width, raw.sizes.raw_height, max_pixels)
        raw.unpack()
        if raw.raw_type == rawpy.RawType.Flat and not raw.raw_image_visible[-1].any():
            raise PhotoError("is damaged: the last row of its sensor holds nothing but zeros")
        _note_gain_maps(parts, notes)
        sizes = raw.sizes
        pixels: NDArray[np.uint16] = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,  # else white depends on the brightest pixel of the image
            output_color=rawpy.ColorSpace.sRGB,
            gamma=(2.4, 12.92),  # sRGB's curve; LibRaw's own default is BT.709's
            output_bps=16,
            half_size=half_size,
            user_flip=0,  # after the crop
        )
    return Raster(
        values=_crop(pixels[:, :, :3], parts, sizes, notes),
        kind="RAW",
        orientation=_ORIENTATIONS[sizes.flip],
        load_exif=partial(exif_of_tiff, file) if parts else no_exif,
        notes=notes,
    )
