"""Perceptual loss: the distance of SR and HR among the features of a trained classifier.

Justin Johnson, Alexandre Alahi, Li Fei-Fei. Perceptual Losses for Real-Time Style Transfer and
Super-Resolution. ECCV 2016. https://arxiv.org/abs/1603.08155
SRGAN: Ledig et al. 2017, https://arxiv.org/abs/1609.04802, eq. 5 and section 3.2.
ESRGAN: Wang et al. 2018, https://arxiv.org/abs/1809.00219, section 3.3.
The classifier is VGG19: Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556, table 1, E.

This module owns what VGG wants of its input: images come in [0, 1] and nothing else, and the
ImageNet mean and standard deviation are subtracted and divided by here, in one place.

Random weights (He et al. 2015, so that features are of order 1 at every depth) need no download and
still see edges and texture; they are not what the papers used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from srmodels.losses._ranges import check_ranges
from srmodels.losses._vgg import LAYERS, vgg_slice

__all__ = ["Perceptual", "PerceptualSettings"]

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_CHECK_EVERY = 100  # calls; a look at the values makes a GPU wait


@dataclass(frozen=True, kw_only=True)
class PerceptualSettings:
    """SRGAN's content loss on VGG54 by default.

    ESRGAN's is layers {"conv5_4": 1.0}, before_activation, distance "l1", feature_scale 1.

    Attributes:
        weights: "imagenet" (torchvision's, downloaded once), "random" (always the same ones), or
            the path of a VGG19 state dict, .pth or .safetensors, with torchvision's names.
        layers: Weight of each layer, "conv1_1" to "conv5_4".
        before_activation: Compare before the layer's ReLU (ESRGAN) or after it (SRGAN).
        distance: "l2" is the mean squared difference of features, "l1" the mean absolute one.
        feature_scale: Features are multiplied by it; SRGAN's 1/12.75 makes "l2" 0.006 times.
    """

    weights: str = "imagenet"
    layers: dict[str, float] = field(default_factory=lambda: {"conv5_4": 1.0})
    before_activation: bool = False
    distance: Literal["l1", "l2"] = "l2"
    feature_scale: float = 1 / 12.75

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("layers must name at least one layer, such as conv5_4: 1.0")
        for layer, weight in self.layers.items():
            if layer not in LAYERS:
                raise ValueError(f"layers must be layers of VGG19: {', '.join(LAYERS)}")
            if weight <= 0:
                raise ValueError("layers must have weights above 0; leave a layer out instead")
        if self.feature_scale <= 0:
            raise ValueError("feature_scale must be above 0")


class Perceptual(nn.Module):
    """Compares features of SR and HR; frozen, always in evaluation mode.

    It computes in float32; `placed` takes over the precision of the training around it.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, settings: PerceptualSettings) -> None:
        """Reads or makes the weights of the layers up to the deepest one needed.

        Raises:
            WeightsError: The weights cannot be downloaded or read, or are no VGG19's.
        """
        super().__init__()
        self.settings = settings
        self.stops = {LAYERS[name]: name for name in settings.layers}
        self.features = vgg_slice(settings.weights, depth=max(self.stops) + 2)
        if settings.before_activation:
            for index in self.stops:  # the ReLU must not overwrite what is kept
                self.features[index + 1] = nn.ReLU(inplace=False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1))
        self.calls = 0
        self.requires_grad_(requires_grad=False)
        self.eval()

    def placed(self, device: torch.device | None) -> "Perceptual":
        """Moves it to the device, its convolutions in the precision of the autocast in force there.

        The classifier is half of SRGAN's step. Its weights never change: kept in bfloat16, and in
        the order of channels_last, they cost no cast in a step. Distances stay float32.
        """
        kind = "cpu" if device is None else device.type
        if torch.is_autocast_enabled(kind):
            self.features.to(torch.get_autocast_dtype(kind))
        self.features.to(memory_format=torch.channels_last)
        return self.to(device)

    def train(self, mode: bool = True) -> "Perceptual":  # noqa: ARG002 - torch's signature
        """Stays in evaluation mode, whatever the module around it does."""
        return super().train(False)

    def layers_of(self, images: Tensor) -> Mapping[str, Tensor]:
        """Features by layer name, each (N, C, h, w), of images (N, 3, H, W) in [0, 1]."""
        found = {}
        features = ((images - self.mean) / self.std).to(next(self.features.parameters()).dtype)
        deepest = max(self.stops) + (0 if self.settings.before_activation else 1)
        for index, layer in enumerate(self.features[: deepest + 1]):
            features = layer(features)
            stop = index if self.settings.before_activation else index - 1
            if stop in self.stops:
                found[self.stops[stop]] = features
        return found

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """The weighted sum of the layers' distances, a scalar; the gradient goes to SR alone.

        Args:
            sr: (N, 3, H, W), [0, 1] with a network's overshoot.
            hr: (N, 3, H, W), [0, 1].

        Raises:
            TrainingError: An image is in another range, such as [-1, 1] or [0, 255]. Elsewhere than
                on the CPU only every hundredth call looks, the first one included.
        """
        if hr.device.type == "cpu" or self.calls % _CHECK_EVERY == 0:
            check_ranges(sr, hr)
        self.calls += 1
        with torch.no_grad():
            wanted = self.layers_of(hr)
        terms = []
        for name, features in self.layers_of(sr).items():
            difference = (features.float() - wanted[name].float()) * self.settings.feature_scale
            size = difference.abs() if self.settings.distance == "l1" else difference.square()
            terms.append(self.settings.layers[name] * size.mean())
        return torch.stack(terms).sum()
