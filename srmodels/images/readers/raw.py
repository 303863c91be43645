"""Camera RAW through LibRaw: the camera's white balance, and one exposure for all photographs."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rawpy
from numpy.typing import NDArray

from srmodels.errors import PhotoError
from srmodels.images.colour import round_to_8
from srmodels.images.limits import check_size

__all__ = ["develop", "read_raw"]

# TIFF 6.0, sections 8 and 15; sub-directories: TIFF supplement 1
_REDUCED, _SUB_DIRECTORIES = 254, 330
_DATA_TAGS = ((273, 279), (324, 325))  # offsets and sizes of strips, of tiles
_TAGS = {_REDUCED, _SUB_DIRECTORIES, *(tag for pair in _DATA_TAGS for tag in pair)}
_FORMATS = {3: "H", 4: "L"}
_MAX_DIRECTORIES = 64


def _directories(body: bytes) -> Iterator[dict[int, tuple[int, ...]]]:
    """The tags above of each directory of a TIFF; nothing for other files."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(body[:4])
    seen: set[int] = set()
    todo = list(struct.unpack_from(f"{order}L", body, 4)) if order else []
    while todo and len(seen) < _MAX_DIRECTORIES:
        start = todo.pop()
        if start == 0 or start in seen:
            continue
        seen.add(start)
        tags: dict[int, tuple[int, ...]] = {}
        (length,) = struct.unpack_from(f"{order}H", body, start)
        for entry in range(start + 2, start + 2 + 12 * length, 12):
            tag, kind, count = struct.unpack_from(f"{order}HHL", body, entry)
            if tag in _TAGS and kind in _FORMATS:
                values = f"{order}{count}{_FORMATS[kind]}"
                (offset,) = struct.unpack_from(f"{order}L", body, entry + 8)
                inline = struct.calcsize(values) <= 4
                tags[tag] = struct.unpack_from(values, body, entry + 8 if inline else offset)
        todo += struct.unpack_from(f"{order}L", body, start + 2 + 12 * length)
        todo += tags.get(_SUB_DIRECTORIES, ())
        yield tags


def _check_complete(body: bytes) -> None:
    """Refuses pixels beyond the file's end: LibRaw fills the missing part of a lossy tile."""
    try:
        for tags in _directories(body):
            if tags.get(_REDUCED, (0,))[0] & 1:
                continue  # a preview
            for offsets, sizes in _DATA_TAGS:
                parts = zip(tags.get(offsets, ()), tags.get(sizes, ()), strict=False)
                if any(offset + size > len(body) for offset, size in parts):
                    raise PhotoError("is cut off: its pixels go on beyond its end")
    except struct.error:
        pass  # a directory beyond the end: LibRaw knows whether it matters


def develop(path: Path, *, half_size: bool, max_pixels: int) -> NDArray[np.uint16]:
    """Develops a RAW file to uint16 (H, W, 3), sRGB, upright.

    `half_size` makes one pixel of a 2x2 Bayer block, several times as fast; a linear DNG keeps its
    size. Raises PhotoError if the file is cut off or has more than `max_pixels`, rawpy.LibRawError
    if it is damaged or no RAW. Most RAW formats have no checksum: a changed bit can go unnoticed.
    """
    body = path.read_bytes()  # LibRaw opens no name that is not UTF-8
    _check_complete(body)
    with rawpy.RawPy() as raw:
        raw.open_buffer(io.BytesIO(body))
        check_size(raw.sizes.raw_width, raw.sizes.raw_height, max_pixels)
        raw.unpack()
        if raw.raw_type == rawpy.RawType.Flat and not raw.raw_image_visible[-1].any():
            raise PhotoError("is damaged: the last row of its sensor holds nothing but zeros")
        pixels: NDArray[np.uint16] = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,  # else white depends on the brightest pixel of the image
            output_color=rawpy.ColorSpace.sRGB,
            gamma=(2.4, 12.92),  # sRGB's curve; LibRaw's own default is BT.709's
            output_bps=16,
            half_size=half_size,
        )
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[:, :, :3]


def read_raw(path: Path, *, half_size: bool, max_pixels: int) -> NDArray[np.uint8]:
    """Develops a RAW file to 8 bits; see `develop`."""
    return round_to_8(develop(path, half_size=half_size, max_pixels=max_pixels))
