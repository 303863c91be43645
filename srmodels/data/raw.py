"""Camera RAW through LibRaw: the same exposure for every photograph, the camera's white balance."""

from pathlib import Path

import numpy as np
import rawpy
from numpy.typing import NDArray

from srmodels.data.colour import round_to_8
from srmodels.errors import PhotoError

__all__ = ["read_raw"]


def read_raw(path: Path, *, half_size: bool, max_pixels: int) -> NDArray[np.uint8]:
    """Develops a RAW file.

    Args:
        path: Any file LibRaw opens.
        half_size: One pixel per 2x2 Bayer block: half the size, several times as fast.
        max_pixels: More than this is refused before it is unpacked.

    Returns:
        uint8 (H, W, 3), sRGB, upright.
    """
    with rawpy.RawPy() as raw:
        # by our own handle: LibRaw takes no name that is not UTF-8
        with path.open("rb") as file:
            raw.open_buffer(file)
        sizes = raw.sizes
        if sizes.raw_width * sizes.raw_height > max_pixels:
            raise PhotoError(
                f"has too many pixels (found {sizes.raw_width}x{sizes.raw_height}; "
                f"patches.max_pixels is {max_pixels})"
            )
        raw.unpack()
        deep = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,  # else white depends on the brightest pixel of the picture
            output_color=rawpy.ColorSpace.sRGB,
            gamma=(2.4, 12.92),  # sRGB's curve; LibRaw's own default is BT.709's
            output_bps=16,
            half_size=half_size,
        )
    pixels = round_to_8(deep)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[:, :, :3]
