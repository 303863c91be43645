"""Degraded LR of whole test pictures: a fixed test set for generators of real photographs."""

from collections.abc import Iterable
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from srmodels.data.degradation.degrade import degrade
from srmodels.data.degradation.settings import DegradationSettings
from srmodels.resize.images import crop_to_multiple
from srmodels.resize.tensors import to_image, to_tensor

DEGRADED = "_degraded"  # ends the name of such a test set
_SEED = 0


def degraded_pictures(
    images: Iterable[tuple[str, NDArray[np.uint8]]], scale: int
) -> dict[str, NDArray[np.uint8]]:
    """LR by name, uint8 (H, W, 3) to (H / scale, W / scale, 3), by Real-ESRGAN's second order.

    A picture's LR depends on its name and pixels only.
    """
    lr = {}
    for name, image in images:
        hr = to_tensor(crop_to_multiple(image, scale))
        step = crc32(name.encode())
        lr[name] = to_image(degrade(hr, DegradationSettings(), scale, seed=_SEED, step=step))
    return lr
