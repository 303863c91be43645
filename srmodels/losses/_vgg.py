"""The first layers of torchvision's VGG19 with trained, given or random weights.

Karen Simonyan, Andrew Zisserman. Very Deep Convolutional Networks for Large-Scale Image
Recognition. ICLR 2015. https://arxiv.org/abs/1409.1556, table 1, column E.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from srmodels.errors import WeightsError
from srmodels.models._state import read_state

__all__ = ["LAYERS", "vgg_slice"]

_BLOCKS = (2, 2, 4, 4, 4)  # convolutions before each pooling


def _positions() -> dict[str, int]:
    positions, index = {}, 0
    for block, count in enumerate(_BLOCKS, start=1):
        for number in range(1, count + 1):
            positions[f"conv{block}_{number}"] = index
            index += 2  # the convolution and its ReLU
        index += 1  # the pooling
    return positions


LAYERS: Mapping[str, int] = _positions()
"""The convolutions' names and their index in torchvision's `vgg19().features`."""


def _random_state(shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """He et al. 2015 with a generator of its own: always the same, whatever else draws numbers."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for key, shape in shapes.items():
        if key.endswith("bias"):
            state[key] = torch.zeros(shape)
        else:
            fan_in = math.prod(shape[1:])
            state[key] = torch.randn(shape, generator=generator) * math.sqrt(2 / fan_in)
    return state


def _imagenet_state() -> dict[str, Tensor]:
    from torchvision.models import VGG19_Weights  # slow to import, and not always needed

    weights = VGG19_Weights.IMAGENET1K_V1
    target = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise WeightsError(
            f"perceptual.weights: the ImageNet weights could not be downloaded ({error}); put "
            f"{weights.url} at {target}, or set weights to its path or to random"
        ) from error
    return state


def _fitting(state: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """The slice's tensors out of a whole VGG19's; "features.0.weight" and "0.weight" both do."""
    found, problems = {}, []
    for key, shape in shapes.items():
        tensor = state.get(f"features.{key}", state.get(key))
        if not isinstance(tensor, Tensor):
            problems.append(f"features.{key} is missing")
        elif tensor.shape != shape:
            problems.append(f"features.{key} is {tuple(tensor.shape)}, not {tuple(shape)}")
        else:
            found[key] = tensor.float()
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise WeightsError(
            f"perceptual.weights: these are no VGG19's ({'; '.join(problems[:3])}{more}); a state "
            "dict of torchvision's vgg19 is right"
        )
    return found


def vgg_slice(weights: str, *, depth: int) -> nn.Sequential:
    """The first `depth` layers of `vgg19().features`.

    Args:
        weights: "imagenet", "random" or a path.
        depth: How many layers, activations and poolings counted.

    Raises:
        WeightsError: The weights cannot be downloaded or read, or are no VGG19's.
    """
    from torchvision.models import vgg19  # slow to import, and not always needed

    with torch.device("meta"):  # no memory, no time, and no random numbers drawn
        whole: nn.Sequential = vgg19(weights=None, init_weights=False).features
    features = whole[:depth]
    shapes = {key: tensor.shape for key, tensor in features.state_dict().items()}
    if weights == "random":
        state = _random_state(shapes)
    elif weights == "imagenet":
        state = _fitting(_imagenet_state(), shapes)
    else:
        right = "imagenet, random, or the path of a VGG19 state dict"
        path = Path(weights).expanduser()
        state = _fitting(read_state(path, where="perceptual.weights", right=right), shapes)
    features.load_state_dict(state, assign=True)
    return features
