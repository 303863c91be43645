"""JPEG compression and decompression of a batch on its device, without the lossless entropy coding.

ITU-T T.81 (1992), sections A.3 and K.1, with libjpeg's choices: JFIF's full-range YCbCr, 4:2:0
chroma by averaging and a triangle filter, tables scaled by quality.
"""

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

_CELL = 16  # pixels: two blocks of 8, because chroma has half the size
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
    """Both tables, (2, 8, 8); the DCT matrix (8, 8), one row per frequency; both conversions."""
    cosines = [
        [math.sqrt((1 if k else 0.5) / 4) * math.cos((2 * n + 1) * k * math.pi / 16)
         for n in range(8)]
        for k in range(8)
    ]  # fmt: skip
    base, dct, to_ycc, to_rgb = (
        torch.tensor(matrix, dtype=torch.float32, device=device)
        for matrix in ((_LUMA, _CHROMA), cosines, _TO_YCC, _TO_RGB)
    )
    return base, dct, to_ycc, to_rgb


def tables(quality: Tensor) -> Tensor:
    """Quantisation tables of luma and chroma by (N,) qualities: float32 (N, 2, 8, 8), 1 to 255."""
    quality = quality.float()
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    base = _constants(quality.device)[0]
    return ((base * percent.view(-1, 1, 1, 1) + 50) / 100).floor().clamp(1, 255)


def _quantise(planes: Tensor, table: Tensor) -> Tensor:
    """DCT of 8 x 8 blocks, quantisation, inverse DCT: planes (N, C, H, W), table (N, 8, 8)."""
    dct = _constants(planes.device)[1]
    n, channels, height, width = planes.shape
    blocks = planes.reshape(n, channels, height // 8, 8, width // 8, 8).transpose(-3, -2)
    steps = table[:, None, None, None]
    coefficients = (dct @ blocks @ dct.T / steps).round() * steps
    decoded: Tensor = dct.T @ coefficients @ dct
    return decoded.transpose(-3, -2).reshape(planes.shape)


def _convert(images: Tensor, matrix: Tensor) -> Tensor:
    return torch.einsum("dc,nchw->ndhw", matrix, images)


def jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """Encodes and decodes images (N, 3, H, W) in [0, 1], each at its own quality, 1 to 100."""
    height, width = images.shape[-2:]
    _, _, to_ycc, to_rgb = _constants(images.device)
    levels = (images.clamp(0, 1) * 255).round()
    padded = F.pad(levels, (0, -width % _CELL, 0, -height % _CELL), mode="replicate")
    ycc = _convert(padded, to_ycc).round()  # chroma is centred at 0, luma not yet
    luma, chroma = ycc[:, :1] - 128, F.avg_pool2d(ycc[:, 1:], 2).round()
    table = tables(quality)
    luma = _quantise(luma, table[:, 0]).round().clamp(-128, 127) + 128
    chroma = _quantise(chroma, table[:, 1]).round().clamp(-128, 127)
    # crop before upsampling: a decoder ignores the padding, too
    chroma = chroma[..., : (height + 1) // 2, : (width + 1) // 2]
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False).round()
    ycc = torch.cat((luma[..., :height, :width], chroma[..., :height, :width]), dim=1)
    return _convert(ycc, to_rgb).round().clamp(0, 255) / 255
