"""HEIC and HEIF by pillow-heif's own API, which keeps 10 and 12 bits; through Pillow 8 are left."""

import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels, drop_opaque_alpha, round_to_8, to_srgb
from srmodels.images.limits import check_size

__all__ = ["check_boxes", "primary_image", "read_heif"]

_HDR_CURVES = {16: "PQ", 18: "HLG"}  # ITU-T H.273, table 3
_SRGB_PRIMARIES = (1, 2)  # ITU-T H.273, table 2: BT.709, unspecified
_ZERO_RUN = 16384


def check_boxes(file: BinaryIO) -> None:
    """Raises PhotoError if a HEIF, AVIF or CR3 file ends inside a box, or in a long run of zeros.

    libheif would fill the missing part with one colour. Boxes: ISO/IEC 14496-12, section 4.2.
    """
    end = file.seek(0, os.SEEK_END)
    start = 0
    while start < end:
        file.seek(start)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8].decode("latin-1")
        if size == 0:  # up to the end of the file
            size = end - start
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8 or start + size > end:
            raise PhotoError(f"is cut off inside its box {kind!r}")
        start += size
    if kind in ("mdat", "\0\0\0\0"):
        # compressed data has no such run (ITU-T H.265, section 7.4.2), metadata a short one at most
        file.seek(max(end - _ZERO_RUN, 0))
        if not file.read().strip(b"\0"):
            raise PhotoError("is cut off: it ends in nothing but zeros")


def _check_colour_space(nclx: dict[str, int]) -> None:
    curve = nclx.get("transfer_characteristics", 2)
    if curve in _HDR_CURVES:
        raise PhotoError(
            f"is a high dynamic range image (got {_HDR_CURVES[curve]}). Export it in standard range"
        )
    primaries = nclx.get("color_primaries", 2)
    if primaries not in _SRGB_PRIMARIES:
        raise PhotoError(
            f"has wide-gamut colours and no profile (got H.273 primaries {primaries}). Export sRGB"
        )


def primary_image(
    path: Path, *, max_pixels: int, notes: list[str]
) -> tuple[Pixels, dict[str, Any]]:
    """Reads the primary image, (H, W) or (H, W, C), as stored but upright, and its `info`.

    More than 8 bits are shifted up to 16. libheif applies the file's rotation and mirror boxes; an
    EXIF orientation repeats them and is ignored (ISO/IEC 23008-12).
    """
    with path.open("rb") as file:
        container = pillow_heif.open_heif(file, convert_hdr_to_8bit=False)
        primary = container[container.primary_index]
        width, height = primary.size
        check_size(width, height, max_pixels)
        if len(container) > 1:
            notes.append(f"the primary one of {len(container)} pictures")
        if not primary.info.get("icc_profile"):
            _check_colour_space(primary.info.get("nclx_profile") or {})
        return np.asarray(primary), primary.info


def read_heif(path: Path, *, max_pixels: int, notes: list[str]) -> NDArray[np.uint8]:
    """Reads the primary image as uint8 (H, W, 3), sRGB, upright."""
    values, info = primary_image(path, max_pixels=max_pixels, notes=notes)
    if values.dtype == np.uint16:
        bits = info["bit_depth"]
        values = round_to_8(values >> (16 - bits), bits)
    return to_srgb(drop_opaque_alpha(Image.fromarray(values)), info.get("icc_profile"), notes)
