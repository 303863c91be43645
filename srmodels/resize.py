"""The protocol's resize: MATLAB's `imresize(..., 'bicubic')`, which the field's LR images use.

Cubic kernel with a = -0.5 (Keys, "Cubic convolution interpolation for digital image processing",
1981, eq. 15), widened when shrinking (anti-aliasing), edges mirrored. PyTorch's antialiased bicubic
is the same kernel but renormalises it at the edges; mirroring the picture by more than the
kernel's support first, and cutting that margin off afterwards, makes the two equal.
"""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

__all__ = [
    "crop_to_multiple",
    "enlarge",
    "enlarge_image",
    "mirror",
    "reduce",
    "reduce_image",
    "to_image",
    "to_tensor",
]

_SUPPORT = 2  # LR pixels that the kernel reaches
_MARGIN = 4  # LR pixels, more than that
_GROUP, _STRIP = 8, 128  # how many LR columns and rows are made at a time
_CHUNK = 32  # HR rows


def mirror(images: Tensor, margin: int) -> Tensor:
    """Pads symmetrically (the edge pixel repeats), also by more than the picture's own size."""
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
    """Shrinks by a whole factor.

    Args:
        images: (N, C, H, W), float32, any range; H and W multiples of `scale`.
        scale: How many times smaller.

    Returns:
        (N, C, H / scale, W / scale), same range up to overshoot; neither clamped nor rounded.
    """
    height, width = images.shape[-2:]
    assert height % scale == 0 and width % scale == 0, "crop_to_multiple comes first"  # noqa: PT018
    size = (height // scale + 2 * _MARGIN, width // scale + 2 * _MARGIN)
    padded = mirror(images, _MARGIN * scale)
    small = F.interpolate(padded, size=size, mode="bicubic", antialias=True)
    return small[..., _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def enlarge(images: Tensor, scale: int) -> Tensor:
    """Enlarges by a whole factor: the bicubic baseline.

    Args:
        images: (N, C, H, W), float32, any range.
        scale: How many times larger.

    Returns:
        (N, C, scale * H, scale * W), same range up to overshoot; neither clamped nor rounded.
    """
    height, width = images.shape[-2:]
    size = ((height + 2 * _MARGIN) * scale, (width + 2 * _MARGIN) * scale)
    # antialias=True is what selects a = -0.5 (a = -0.75 without); it does not blur an enlargement.
    large = F.interpolate(mirror(images, _MARGIN), size=size, mode="bicubic", antialias=True)
    margin = _MARGIN * scale
    return large[..., margin:-margin, margin:-margin]


def to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """A picture as a batch of one: uint8 (H, W, 3) to float32 (1, 3, H, W) in [0, 1]."""
    values = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)
    return values[None] / 255


def to_image(tensor: Tensor) -> NDArray[np.uint8]:
    """The inverse of `to_tensor`: clamps to [0, 1], rounds half up, (1, 3, H, W) to (H, W, 3)."""
    scaled = tensor[0].float().clamp(0, 1).mul(255).add(0.5).floor()
    image: NDArray[np.uint8] = scaled.to(torch.uint8).permute(1, 2, 0).cpu().contiguous().numpy()
    return image


def crop_to_multiple(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Cuts (H, W, 3) at the bottom and the right to multiples of `scale`."""
    height, width = image.shape[:2]
    return image[: height - height % scale, : width - width % scale]


def _reach(scale: int) -> int:
    """How many HR pixels beyond its own an LR pixel depends on, at each side."""
    return _SUPPORT * scale - scale // 2


@cache
def _row_weights(scale: int, channels: int) -> Tensor:
    """How HR values make `_GROUP` LR pixels of a row: (HR, LR), channels interleaved."""
    length = _GROUP + 2 * _MARGIN
    rows = torch.eye(length * scale)[None, None]
    size = (length * scale, length)
    weights = F.interpolate(rows, size=size, mode="bicubic", antialias=True)[0, 0]
    beyond = _MARGIN * scale - _reach(scale)
    inner = weights[beyond:-beyond, _MARGIN:-_MARGIN].contiguous()
    return torch.kron(inner, torch.eye(channels))


def _mirrored(start: int, stop: int, size: int) -> NDArray[np.int64]:
    index = np.arange(start, stop) % (2 * size)
    return np.where(index < size, index, 2 * size - 1 - index)


def _reduce_strip(strip: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """(H, W, C) to (H / scale - 2 `_SUPPORT`, W / scale, C): the rows beyond are the neighbours."""
    height, width, channels = strip.shape
    groups = -(-width // (_GROUP * scale))
    margin = _reach(scale)
    padded = np.empty((height, groups * _GROUP * scale + 2 * margin, channels), np.uint8)
    columns = _mirrored(-margin, padded.shape[1] - margin, width)
    end = margin + width
    padded[:, margin:end] = strip
    padded[:, :margin], padded[:, end:] = strip[:, columns[:margin]], strip[:, columns[end:]]
    weights = _row_weights(scale, channels)
    windows = torch.from_numpy(padded).as_strided(
        (height, groups, len(weights)), (padded[0].size, _GROUP * scale * channels, 1)
    )
    rows = torch.empty(height, groups * _GROUP * channels)
    values = torch.empty(_CHUNK, groups, len(weights))  # once: getting memory is the slow part
    for top in range(0, height, _CHUNK):
        target = rows[top : top + _CHUNK]
        some = values[: len(target)].copy_(windows[top : top + _CHUNK]).view(-1, len(weights))
        torch.mm(some, weights, out=target.view(-1, weights.shape[1]))  # autocast leaves it alone
    size = (height // scale, rows.shape[1])
    small = F.interpolate(rows[None, None], size=size, mode="bicubic", antialias=True)
    small = small[0, 0, _SUPPORT:-_SUPPORT, : width // scale * channels]
    rounded: NDArray[np.uint8] = small.clamp(0, 255).add_(0.5).to(torch.uint8).numpy()
    return rounded.reshape(len(rounded), -1, channels)


def reduce_image(hr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """The protocol's LR picture of an HR one: uint8 (H, W, 3) to uint8 (H/scale, W/scale, 3).

    The same values as `reduce`, at several times its speed: the kernel is the same for every
    pixel, so rows are shrunk by a matrix product, and strip by strip they stay in the cache.
    """
    height, width = hr.shape[:2]
    assert height % scale == 0 and width % scale == 0, "crop_to_multiple comes first"  # noqa: PT018
    lr = np.empty((height // scale, width // scale, hr.shape[2]), np.uint8)
    for top in range(0, len(lr), _STRIP):
        bottom = min(top + _STRIP, len(lr))
        rows = _mirrored((top - _SUPPORT) * scale, (bottom + _SUPPORT) * scale, height)
        inside = rows[-1] - rows[0] == len(rows) - 1
        strip = hr[rows[0] : rows[-1] + 1] if inside else hr[rows]
        # values 0..255 rather than 0..1: ties round as MATLAB's do
        lr[top:bottom] = _reduce_strip(strip, scale)
    return lr


def enlarge_image(lr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """The bicubic baseline's picture: uint8 (H, W, 3) to uint8 (scale H, scale W, 3)."""
    return to_image(enlarge(to_tensor(lr), scale))
