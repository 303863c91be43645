"""The convolutions of ImageNet classifiers, frozen, as feature extractors.

AlexNet: Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks",
https://arxiv.org/abs/1404.5997. VGG16 and VGG19: Simonyan and Zisserman 2015,
https://arxiv.org/abs/1409.1556, table 1, columns D and E. Layout and names are torchvision's.
"""

from collections.abc import Collection, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "FeatureNetwork", "Network", "layer_index"]

Network = Literal["alexnet", "vgg16", "vgg19"]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_VGG_CHANNELS = (64, 128, 256, 512, 512)
_VGG_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}  # before each pooling


def _alexnet() -> dict[str, nn.Module]:
    return {
        "conv1": nn.Conv2d(3, 64, 11, stride=4, padding=2),
        "relu1": nn.ReLU(inplace=True),
        "pool1": nn.MaxPool2d(3, stride=2),
        "conv2": nn.Conv2d(64, 192, 5, padding=2),
        "relu2": nn.ReLU(inplace=True),
        "pool2": nn.MaxPool2d(3, stride=2),
        "conv3": nn.Conv2d(192, 384, 3, padding=1),
        "relu3": nn.ReLU(inplace=True),
        "conv4": nn.Conv2d(384, 256, 3, padding=1),
        "relu4": nn.ReLU(inplace=True),
        "conv5": nn.Conv2d(256, 256, 3, padding=1),
        "relu5": nn.ReLU(inplace=True),
    }


def _vgg(convolutions: tuple[int, ...]) -> dict[str, nn.Module]:
    layers: dict[str, nn.Module] = {}
    inputs = 3
    for block, (channels, count) in enumerate(zip(_VGG_CHANNELS, convolutions, strict=True), 1):
        for number in range(1, count + 1):
            layers[f"conv{block}_{number}"] = nn.Conv2d(inputs, channels, 3, padding=1)
            layers[f"relu{block}_{number}"] = nn.ReLU(inplace=True)
            inputs = channels
        layers[f"pool{block}"] = nn.MaxPool2d(2, stride=2)
    return layers


def _layers(network: Network) -> dict[str, nn.Module]:
    """All layers by name, without memory and without drawing random numbers."""
    with torch.device("meta"):
        return _alexnet() if network == "alexnet" else _vgg(_VGG_CONVOLUTIONS[network])


def layer_index(network: Network) -> dict[str, int]:
    """Layer names ("conv2_2", "relu2_2", "pool2") to their index in torchvision's `features`."""
    return {name: index for index, name in enumerate(_layers(network))}


class FeatureNetwork(nn.Module):
    """Images in [0, 1] to features by layer name; frozen, always in evaluation mode.

    Attributes:
        features: The layers up to the deepest one that is wanted.
        mean: Subtracted from the images, and
        std: the divisor: the normalisation of ImageNet, here and nowhere else.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: Network, layers: Collection[str]) -> None:
        """Builds the layers without weights; `load` fills them."""
        super().__init__()
        built = _layers(network)
        names = list(built)
        self.outputs = {names.index(layer): layer for layer in layers}
        depth = max(self.outputs) + 1
        for index in self.outputs:  # a ReLU must not overwrite a convolution that is wanted
            if index + 1 < depth and isinstance(built[names[index + 1]], nn.ReLU):
                built[names[index + 1]] = nn.ReLU()
        self.features = nn.Sequential(*list(built.values())[:depth])
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def load(self, state: Mapping[str, Tensor]) -> "FeatureNetwork":
        """Takes weights by name, "0.weight" or "features.0.weight"; there may be more."""
        by_index = {key.removeprefix("features."): tensor for key, tensor in state.items()}
        own_state = {key: by_index[key] for key in self.features.state_dict()}
        self.features.load_state_dict(own_state, assign=True)
        return self.requires_grad_(requires_grad=False).eval()

    def train(self, mode: bool = True) -> "FeatureNetwork":  # noqa: ARG002 - torch's signature
        """Stays in evaluation mode, whatever the module around it does."""
        return super().train(False)

    def normalise(self, images: Tensor) -> Tensor:
        """What the first layer takes, in the precision of its weights."""
        dtype = next(self.features.parameters()).dtype
        return ((images - self.mean) / self.std).to(dtype)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """(N, 3, H, W) in [0, 1] to features (N, C, h, w) by layer name."""
        found = {}
        features = self.normalise(images)
        for index, layer in enumerate(self.features):
            features = layer(features)
            if index in self.outputs:
                found[self.outputs[index]] = features
        return found
