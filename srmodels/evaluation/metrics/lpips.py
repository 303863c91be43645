"""LPIPS: the distance of two pictures as people judge it, learned on AlexNet's or VGG16's features.

Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features as a
perceptual metric", CVPR 2018, https://arxiv.org/abs/1801.03924, eq. 1; weights of version 0.1.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from srmodels.evaluation.metrics.vgg16 import Vgg16
from srmodels.machine import without_tf32
from srmodels.pretrained.feature_network import FeatureNetwork
from srmodels.pretrained.weights import load_weights

MIN_SIDE = 31  # pixels; AlexNet's strides leave nothing of smaller pictures
_EPSILON = 1e-10  # of the published code


class Lpips:
    """Compares pictures with a reference, whole, without a border cut."""

    def __init__(
        self, network: Literal["alexnet", "vgg16"], *, device: str | torch.device = "cpu"
    ) -> None:
        state = load_weights(network)
        self.weights = [state[f"lpips.{level}"].to(device) for level in range(5)]
        self.features: Callable[[Tensor], Iterable[tuple[int, Tensor]]]
        if network == "vgg16":
            self.features = partial(Vgg16(device), pool=partial(F.max_pool2d, kernel_size=2))
        else:
            layers = [f"relu{number}" for number in range(1, 6)]
            alexnet = FeatureNetwork("alexnet", layers).load(state).to(device)
            self.features = lambda images: enumerate(alexnet(images).values())

    @torch.inference_mode()
    @without_tf32()
    def __call__(self, images: Tensor) -> list[float]:
        """N images to the first of (1 + N, 3, H, W), [0, 1]; 0 if equal, about 1 at most."""
        sums = torch.zeros(5, len(images) - 1, dtype=torch.float64)
        positions = torch.zeros(5, 1, dtype=torch.float64)
        for level, features in self.features(images):
            vectors = features.permute(0, 2, 3, 1)
            norms = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
            units = vectors / (norms + _EPSILON)
            weighted = (units[1:] - units[:1]).square_() @ self.weights[level]
            sums[level] += weighted.sum((1, 2)).cpu()
            positions[level] += features.shape[2] * features.shape[3]
        distances: list[float] = (sums / positions).sum(0).tolist()
        return distances
