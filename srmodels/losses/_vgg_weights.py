"""VGG16 and VGG19 with ImageNet, given or random weights."""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from srmodels.errors import WeightsError
from srmodels.models._state import misfits, read_state
from srmodels.pretrained.feature_network import FeatureNetwork
from srmodels.pretrained.weights import load_weights

VggName = Literal["vgg16", "vgg19"]


def _random_state(shapes: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """He et al. 2015, from a generator of its own, so that they are always the same."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for key, tensor in shapes.items():
        if key.endswith("bias"):
            state[key] = torch.zeros(tensor.shape)
        else:
            fan_in = math.prod(tensor.shape[1:])
            state[key] = torch.randn(tensor.shape, generator=generator) * math.sqrt(2 / fan_in)
    return state


def _torchvision_state() -> dict[str, Tensor]:
    """VGG19's ImageNet weights, downloaded once."""
    from torchvision.models import VGG19_Weights  # slow to import, and not always needed

    weights = VGG19_Weights.IMAGENET1K_V1
    target = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise WeightsError(
            f"perceptual.weights: the ImageNet weights could not be downloaded (got {error}). Put "
            f"{weights.url} at {target}, or set network to vgg16, or weights to a path or random."
        ) from error
    return state


def vgg(network: VggName, layers: Collection[str], *, weights: str) -> FeatureNetwork:
    """A network whose outputs are some layers, with weights "imagenet", "random" or of a path."""
    built = FeatureNetwork(network, layers)
    if weights == "random":
        state = _random_state(built.features.state_dict())
    elif weights == "imagenet":
        state = load_weights("vgg16") if network == "vgg16" else _torchvision_state()
    else:
        options = f"imagenet, random, or the path of a {network} state dict"
        state = read_state(Path(weights).expanduser(), where="perceptual.weights", expected=options)
    network_state = built.features.state_dict()
    state = {key.removeprefix("features."): tensor.float() for key, tensor in state.items()}
    state = {key: tensor for key, tensor in state.items() if key in network_state}
    if problems := misfits(network_state, state):
        raise WeightsError(
            f"perceptual.weights: not those of {network} (got {'; '.join(problems)}). Use a state "
            f"dict of torchvision's {network}."
        )
    return built.load(state)
