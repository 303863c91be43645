"""VGG16's features of whole pictures, a strip of rows at a time.

Features of the first stage are 730 MB for one 2K picture; those of a strip stay in reused memory,
which saves a quarter of the time. Strips overlap by the reach of the convolutions, so their values
are those of the whole picture.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from srmodels.pretrained.feature_network import FeatureNetwork
from srmodels.pretrained.weights import load_weights

_PIXELS = 2**17  # of a strip in the first stage


class Vgg16:
    """The five stages of VGG16, which end in relu1_2, relu2_2, relu3_3, relu4_3 and relu5_3."""

    def __init__(self, device: str | torch.device) -> None:
        network = FeatureNetwork("vgg16", ["relu5_3"]).load(load_weights("vgg16"))
        network.features.to(memory_format=torch.channels_last)
        self.network = network.to(device)
        self.stages = [nn.Sequential()]
        for layer in network.features:
            if isinstance(layer, nn.MaxPool2d):
                self.stages.append(nn.Sequential())
            else:
                self.stages[-1].append(layer)

    def _strips(self, level: int, images: Tensor, overlap: int) -> Iterator[tuple[Tensor, int]]:
        """Features of a stage from the top down, and how many of their rows are repeated ones."""
        reach = sum(isinstance(layer, nn.Conv2d) for layer in self.stages[level])
        height, width = images.shape[2:]
        rows = max(2, (_PIXELS >> level) // width // 2 * 2)
        tops = list(range(0, max(1, height - 1), rows))  # no strip of one row: poolings take two
        for top, bottom in zip(tops, [*tops[1:], height], strict=True):
            repeated = min(overlap, top)
            start = max(0, top - repeated - reach)
            features = self.stages[level](images[:, :, start : bottom + reach])
            yield features[:, :, top - repeated - start : bottom - start], repeated

    def __call__(
        self, images: Tensor, pool: Callable[[Tensor], Tensor], *, overlap: int = 0
    ) -> Iterator[tuple[int, Tensor]]:
        """Strips: level, features (N, C, rows, w); `pool` halves, reading `overlap` rows above."""
        features = self.network.normalise(images).contiguous(memory_format=torch.channels_last)
        for level in range(len(self.stages)):
            pooled = []
            for strip, repeated in self._strips(level, features, overlap):
                yield level, strip[:, :, repeated:]
                if level + 1 < len(self.stages):
                    pooled.append(pool(strip)[:, :, repeated // 2 :])
            features = torch.cat(pooled, dim=2) if pooled else features
