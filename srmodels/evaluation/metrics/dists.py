"""DISTS: structure and texture similarity of two pictures, on VGG16's features.

Ding, Ma, Wang, Simoncelli, "Image quality assessment: unifying structure and texture similarity",
IEEE TPAMI 44(5), 2022, https://arxiv.org/abs/2004.07728, eqs. 2 and 4 to 6.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from srmodels.evaluation.metrics.vgg16 import Vgg16
from srmodels.machine import without_tf32
from srmodels.pretrained.weights import load_weights

_C1 = _C2 = 1e-6


def _l2_pool(features: Tensor) -> Tensor:
    """Eq. 2: the root of the squares, smoothed by a 3 x 3 Hanning window, at every second pixel."""
    window = features.new_tensor([0.25, 0.5, 0.25])
    kernel = (window[:, None] * window).expand(features.shape[1], 1, 3, 3)
    squares = features.square()
    pooled = F.conv2d(squares, kernel, stride=2, padding=1, groups=features.shape[1])
    return pooled.add_(1e-12).sqrt_()


class _Moments:
    """Sums over pixels, from which come a level's similarities to the first image."""

    def __init__(self) -> None:
        self.pixels = 0
        self.sums: list[Tensor | float] = [0.0, 0.0, 0.0]

    def add(self, features: Tensor) -> None:
        """Adds pixels of features (1 + N, C, h, w)."""
        products = (features, features.square(), features[1:] * features[:1])
        self.sums = [
            total + product.sum((2, 3)).cpu().double()
            for total, product in zip(self.sums, products, strict=True)
        ]
        self.pixels += features.shape[2] * features.shape[3]

    def dissimilarities(self) -> Tensor:
        """1 less the texture (eq. 4) and 1 less the structure (eq. 5): (2, N, C)."""
        mean, square, product = (torch.as_tensor(total) / self.pixels for total in self.sums)
        variance, covariance = square - mean.square(), product - mean[1:] * mean[:1]
        texture = (2 * mean[1:] * mean[:1] + _C1) / (mean[1:].square() + mean[:1].square() + _C1)
        structure = (2 * covariance + _C2) / (variance[1:] + variance[:1] + _C2)
        return 1 - torch.stack([texture, structure])


class Dists:
    """Compares pictures with a reference, whole, without a border cut."""

    def __init__(self, *, device: str | torch.device = "cpu") -> None:
        state = load_weights("dists")
        weights = torch.stack([state["alpha"], state["beta"]]).double()
        self.weights = weights / weights.sum()
        self.vgg16 = Vgg16(device)

    @torch.inference_mode()
    @without_tf32()
    def __call__(self, images: Tensor) -> list[float]:
        """Eq. 6: N images to the first of (1 + N, 3, H, W), [0, 1]; 0 if equal, about 1 at most."""
        levels = [_Moments() for _ in range(6)]
        levels[0].add(images)  # the image itself is the first level
        for level, features in self.vgg16(images, _l2_pool, overlap=2):
            levels[level + 1].add(features)
        dissimilarities = torch.cat([level.dissimilarities() for level in levels], dim=2)
        distances: list[float] = torch.einsum("snc,sc->n", dissimilarities, self.weights).tolist()
        return distances
