"""What JPEG does to a picture, without the file: for a batch, on its device, each its own quality.

ITU-T T.81 (1992), sections A.3 and K.1, with libjpeg's choices: JFIF's full-range YCbCr, chroma
halved both ways (4:2:0) by averaging and enlarged by a triangle filter, tables scaled by quality.
Only the entropy coding is left out, which loses nothing.
"""

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["jpeg", "tables"]

_CELL = 16  # pixels; two blocks of 8, for chroma has half the size
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)  # table K.1
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)  # table K.2
_TO_YCC = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136286, -0.714136286), (1.0, 1.772, 0.0))


@cache
def _constants(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Both tables, (2, 8, 8); the cosine transform (8, 8), a row a frequency; both conversions."""
    cosines = [
        [math.sqrt((1 if k else 0.5) / 4) * math.cos((2 * n + 1) * k * math.pi / 16)
         for n in range(8)]
        for k in range(8)
    ]  # fmt: skip
    made = ((_LUMA, _CHROMA), cosines, _TO_YCC, _TO_RGB)
    base, transform, to_ycc, to_rgb = (
        torch.tensor(each, dtype=torch.float32, device=device) for each in made
    )
    return base, transform, to_ycc, to_rgb


def tables(quality: Tensor) -> Tensor:
    """The quantisation tables of luma and chroma as libjpeg makes them.

    Args:
        quality: (N,), whole numbers 1 to 100.

    Returns:
        (N, 2, 8, 8), float32, whole numbers 1 to 255.
    """
    quality = quality.float()
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    base = _constants(quality.device)[0]
    return ((base * percent.view(-1, 1, 1, 1) + 50) / 100).floor().clamp(1, 255)


def _quantised(planes: Tensor, table: Tensor) -> Tensor:
    """Blocks of 8 x 8 there and back: (N, C, H, W) to the same, the table (N, 8, 8)."""
    transform = _constants(planes.device)[1]
    n, channels, height, width = planes.shape
    blocks = planes.reshape(n, channels, height // 8, 8, width // 8, 8).transpose(-3, -2)
    steps = table[:, None, None, None]
    kept = (transform @ blocks @ transform.T / steps).round() * steps
    back: Tensor = transform.T @ kept @ transform
    return back.transpose(-3, -2).reshape(planes.shape)


def _converted(images: Tensor, matrix: Tensor) -> Tensor:
    return torch.einsum("dc,nchw->ndhw", matrix, images)


def jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """The pictures as a JPEG decoder gives them back.

    Args:
        images: (N, 3, H, W), float32 RGB in [0, 1], of any size; rounded to 8 bits first.
        quality: (N,), whole numbers 1 to 100, on the same device.

    Returns:
        (N, 3, H, W) in [0, 1], multiples of 1/255.
    """
    height, width = images.shape[-2:]
    _, _, to_ycc, to_rgb = _constants(images.device)
    bytes_ = (images.clamp(0, 1) * 255).round()
    padded = F.pad(bytes_, (0, -width % _CELL, 0, -height % _CELL), mode="replicate")
    ycc = _converted(padded, to_ycc).round()  # chroma about 0 already, luma not yet
    luma, chroma = ycc[:, :1] - 128, F.avg_pool2d(ycc[:, 1:], 2).round()
    table = tables(quality)
    luma = _quantised(luma, table[:, 0]).round().clamp(-128, 127) + 128
    chroma = _quantised(chroma, table[:, 1]).round().clamp(-128, 127)
    # cut before it is enlarged: a decoder does not look at the padding either
    chroma = chroma[..., : (height + 1) // 2, : (width + 1) // 2]
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False).round()
    whole = torch.cat((luma[..., :height, :width], chroma[..., :height, :width]), dim=1)
    return _converted(whole, to_rgb).round().clamp(0, 255) / 255
