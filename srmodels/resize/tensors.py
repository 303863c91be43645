"""Float tensors smaller and larger by MATLAB's `imresize(..., 'bicubic')`, differentiable.

Cubic kernel with a = -0.5 (Keys 1981, eq. 15), widened when shrinking (anti-aliasing), edges
mirrored. PyTorch's antialiased bicubic is the same kernel but renormalises it at the edges, so the
image is mirrored by more than the kernel's support first and cropped afterwards.
"""

from typing import Any, TypeVar, overload

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

PixelT = TypeVar("PixelT", bound=np.uint8 | np.uint16 | np.float32)
_UINT8 = np.dtype(np.uint8)
_WHITE = {_UINT8: 255, np.dtype(np.uint16): 65535, np.dtype(np.float32): 1}
_MARGIN = 4  # LR pixels, more than the kernel's support of 2


def mirror(images: Tensor, margin: int) -> Tensor:
    """Pads (..., H, W) symmetrically (the edge pixel repeats); `margin` may exceed H and W."""
    for axis in (-2, -1):
        size = images.shape[axis]
        index = torch.arange(-margin, size + margin, device=images.device) % (2 * size)
        index = torch.where(index < size, index, 2 * size - 1 - index)
        # the middle is copied as it is, since selecting is ten times as slow
        before = images.index_select(axis, index[:margin])
        after = images.index_select(axis, index[size + margin :])
        images = torch.cat([before, images, after], dim=axis)
    return images


def reduce(images: Tensor, scale: int) -> Tensor:
    """Downscales (N, C, H, W), float32, by an integer factor that divides H and W; not clamped."""
    height, width = images.shape[-2:]
    assert height % scale == 0 and width % scale == 0, "call crop_to_multiple first"  # noqa: PT018
    size = (height // scale + 2 * _MARGIN, width // scale + 2 * _MARGIN)
    padded = mirror(images, _MARGIN * scale)
    small = F.interpolate(padded, size=size, mode="bicubic", antialias=True)
    return small[..., _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def enlarge(images: Tensor, scale: int) -> Tensor:
    """Upscales (N, C, H, W), float32, by an integer factor: the bicubic baseline; not clamped."""
    height, width = images.shape[-2:]
    size = ((height + 2 * _MARGIN) * scale, (width + 2 * _MARGIN) * scale)
    # antialias=True selects a = -0.5 (a = -0.75 without); it does not blur an enlargement.
    large = F.interpolate(mirror(images, _MARGIN), size=size, mode="bicubic", antialias=True)
    margin = _MARGIN * scale
    return large[..., margin:-margin, margin:-margin]


def _white(dtype: "np.dtype[PixelT]") -> int:
    assert dtype in _WHITE, f"pixels are uint8, uint16 or float32 (got {dtype})"
    return _WHITE[dtype]


def to_tensor(image: NDArray[PixelT]) -> Tensor:
    """(H, W, 3), uint8, uint16 or float32 in [0, 1], to float32 (1, 3, H, W) in [0, 1]."""
    values = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)
    return values[None] / _white(image.dtype)


@overload
def to_image(tensor: Tensor) -> NDArray[np.uint8]: ...


@overload
def to_image(tensor: Tensor, dtype: "np.dtype[PixelT]") -> NDArray[PixelT]: ...


def to_image(tensor: Tensor, dtype: "np.dtype[Any]" = _UINT8) -> NDArray[Any]:
    """The inverse of `to_tensor`: (1, 3, H, W) to (H, W, 3) on the CPU.

    Integers are clamped to [0, 1] first and rounded half up. Floats are not clamped.
    """
    values = tensor[0].float().permute(1, 2, 0)
    if dtype != np.float32:
        values = values.clamp(0, 1).mul(_white(dtype)).add(0.5).floor()
    if dtype == np.uint8:
        values = values.to(torch.uint8)
    image: NDArray[Any] = values.cpu().contiguous().numpy().astype(dtype, copy=False)
    return image


def enlarge_image(lr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """The bicubic baseline: uint8 (H, W, 3) to uint8 (scale H, scale W, 3)."""
    return to_image(enlarge(to_tensor(lr), scale))
