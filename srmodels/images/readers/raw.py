"""Camera RAW through LibRaw: the same exposure for every photograph, the camera's white balance."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rawpy
from numpy.typing import NDArray

from srmodels.errors import PhotoError
from srmodels.images.colour import round_to_8
from srmodels.images.limits import too_large

__all__ = ["develop", "read_raw"]

# TIFF 6.0, sections 8 and 15; sub-directories: TIFF supplement 1
_REDUCED, _SUB_DIRECTORIES = 254, 330
_PLACES = ((273, 279), (324, 325))  # offsets and sizes of strips, of tiles
_TAGS = {_REDUCED, _SUB_DIRECTORIES, *(tag for pair in _PLACES for tag in pair)}
_NUMBERS = {3: "H", 4: "L"}
_MOST_DIRECTORIES = 64


def _directories(body: bytes) -> Iterator[dict[int, tuple[int, ...]]]:
    """The tags above of each directory of a TIFF; none of any other file."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(body[:4])
    seen: set[int] = set()
    todo = list(struct.unpack_from(f"{order}L", body, 4)) if order else []
    while todo and len(seen) < _MOST_DIRECTORIES:
        start = todo.pop()
        if start == 0 or start in seen:
            continue
        seen.add(start)
        tags: dict[int, tuple[int, ...]] = {}
        (length,) = struct.unpack_from(f"{order}H", body, start)
        for entry in range(start + 2, start + 2 + 12 * length, 12):
            tag, kind, count = struct.unpack_from(f"{order}HHL", body, entry)
            if tag in _TAGS and kind in _NUMBERS:
                numbers = f"{order}{count}{_NUMBERS[kind]}"
                inside = struct.calcsize(numbers) <= 4
                (place,) = struct.unpack_from(f"{order}L", body, entry + 8)
                tags[tag] = struct.unpack_from(numbers, body, entry + 8 if inside else place)
        todo += struct.unpack_from(f"{order}L", body, start + 2 + 12 * length)
        todo += tags.get(_SUB_DIRECTORIES, ())
        yield tags


def _check_places(body: bytes) -> None:
    """Refuses pixels beyond the file's end: LibRaw fills the missing part of a lossy tile."""
    try:
        for tags in _directories(body):
            if tags.get(_REDUCED, (0,))[0] & 1:
                continue  # a preview
            for offsets, sizes in _PLACES:
                places = zip(tags.get(offsets, ()), tags.get(sizes, ()), strict=False)
                if any(offset + size > len(body) for offset, size in places):
                    raise PhotoError("is cut off: its pixels go on beyond its end")
    except struct.error:
        pass  # a directory beyond the end: LibRaw knows whether it matters


def develop(path: Path, *, half_size: bool, max_pixels: int) -> NDArray[np.uint16]:
    """Develops a RAW file.

    Args:
        path: Any file LibRaw opens.
        half_size: One pixel per 2x2 Bayer block: half the size, several times as fast. A linear
            DNG, which has nothing to interpolate, keeps its size.
        max_pixels: More than this is refused before it is unpacked.

    Returns:
        uint16 (H, W, 3), sRGB, upright.

    Raises:
        PhotoError: It is cut off or too large.
        rawpy.LibRawError: It is damaged, or no RAW file. A changed bit of a lossless RAW can look
            like another photograph; only some kinds carry a checksum.
    """
    # by our own handle: LibRaw takes no name that is not UTF-8
    body = path.read_bytes()
    _check_places(body)
    with rawpy.RawPy() as raw:
        raw.open_buffer(io.BytesIO(body))
        sizes = raw.sizes
        if sizes.raw_width * sizes.raw_height > max_pixels:
            raise too_large(sizes.raw_width, sizes.raw_height, max_pixels)
        raw.unpack()
        if raw.raw_type == rawpy.RawType.Flat and not raw.raw_image_visible[-1].any():
            raise PhotoError("is damaged: the last row of its sensor holds nothing but zeros")
        deep: NDArray[np.uint16] = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,  # else white depends on the brightest pixel of the picture
            output_color=rawpy.ColorSpace.sRGB,
            gamma=(2.4, 12.92),  # sRGB's curve; LibRaw's own default is BT.709's
            output_bps=16,
            half_size=half_size,
        )
    return np.repeat(deep, 3, axis=2) if deep.shape[2] == 1 else deep[:, :, :3]


def read_raw(path: Path, *, half_size: bool, max_pixels: int) -> NDArray[np.uint8]:
    """Develops a RAW file to 8 bits; see `develop`."""
    return round_to_8(develop(path, half_size=half_size, max_pixels=max_pixels))
