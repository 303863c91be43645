"""ncnn's networks: run layer by layer in PyTorch, and as networks of this project.

Upscayl and the programs that end in -ncnn-vulkan keep their networks so. A network is taken from
the numbers and sizes of its convolutions, and then has to give the picture that its layers give.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels import models
from srmodels.errors import WeightsError
from srmodels.models._layers import SCALES
from srmodels.models.rrdbnet import Settings as RRDBNetSettings
from srmodels.models.srvgg import Settings as SRVGGSettings
from srmodels.pretrained.ncnn_files import Layer, read_layers
from srmodels.snapshot import Snapshot

SUFFIXES = (".param", ".bin")
_PER_RRDB = 15  # convolutions
_NO_BOUND = -233  # of a Crop
_TOLERANCE = 1e-3  # of [0, 1]; a quarter of a level of 255


def _shape(layer: Layer) -> tuple[int, int, int, int]:
    """(output channels, input channels, height, width) of a convolution's weight."""
    out, side = layer.values[0], layer.values[1]
    height = layer.values.get(11, side)
    return out, layer.values[6] // (out * side * height), height, side


def _convolution(layer: Layer, features: Tensor) -> Tensor:
    values = layer.values
    weight, *bias = map(torch.from_numpy, layer.weights)
    result = F.conv2d(
        features,
        weight.view(_shape(layer)),
        bias[0] if bias else None,
        stride=values.get(3, 1),
        padding=values.get(4, 0),
        dilation=values.get(2, 1),
    )
    activation = values.get(9, 0)
    if activation not in (0, 1, 2):
        raise WeightsError(f"{layer.name}: unknown activation (got {activation}). Use ReLU.")
    slope = (1.0, 0.0, *values.get(10, (0.0,)))[activation]
    return result if activation == 0 else F.leaky_relu(result, slope)


def _batch_norm(layer: Layer, features: Tensor) -> Tensor:
    slope, mean, variance, bias = map(torch.from_numpy, layer.weights)
    eps = layer.values.get(1, 0.0)
    return F.batch_norm(features, mean, variance, slope, bias, eps=eps)


def _elementwise(layer: Layer, *features: Tensor) -> Tensor:
    operation = layer.values.get(0, 0)
    operations: tuple[Callable[..., Tensor], ...] = (torch.mul, torch.add, torch.maximum)
    if layer.kind == "BinaryOp":
        operations = (torch.add, torch.sub, torch.mul, torch.div)
        if layer.values.get(1, 0):
            features = (*features, torch.tensor(layer.values[2]))
    elif coefficients := layer.values.get(1):
        features = tuple(c * f for c, f in zip(coefficients, features, strict=True))
    if operation >= len(operations):
        raise WeightsError(f"{layer.name}: unknown operation (got {operation}). Use a sum.")
    result = features[0]
    for other in features[1:]:
        result = operations[operation](result, other)
    return result


def _resize(layer: Layer, features: Tensor) -> Tensor:
    mode = {1: "nearest", 2: "bilinear", 3: "bicubic"}[layer.values[0]]
    scales = (layer.values[1], layer.values[2])
    return F.interpolate(features, scale_factor=scales, mode=mode)


def _crop(layer: Layer, features: Tensor) -> Tensor:
    """Slices axes as NumPy does; -233 is no bound."""
    for start, end, axis in zip(*(layer.values[number] for number in (9, 10, 11)), strict=True):
        size = features.shape[axis + 1]
        rows = range(size)[slice(*(None if b == _NO_BOUND else b for b in (start, end)))]
        features = features.narrow(axis + 1, rows.start, len(rows))
    return features


_RUN: dict[str, Callable[..., Tensor]] = {
    "Convolution": _convolution,
    "PReLU": lambda layer, x: F.prelu(x, torch.from_numpy(layer.weights[0])),
    "BatchNorm": _batch_norm,
    "Concat": lambda layer, *x: torch.cat(x, dim=1 + layer.values.get(0, 0)),
    "Eltwise": _elementwise,
    "BinaryOp": _elementwise,
    "Interp": _resize,
    "PixelShuffle": lambda layer, x: F.pixel_shuffle(x, layer.values[0]),
    "ReLU": lambda layer, x: F.leaky_relu(x, layer.values.get(0, 0.0)),
    "Sigmoid": lambda _, x: torch.sigmoid(x),
    "Swish": lambda _, x: F.silu(x),
    "TanH": lambda _, x: torch.tanh(x),
    "Crop": _crop,
    "Noop": lambda _, x: x,
}


@torch.inference_mode()
def run_layers(layers: Sequence[Layer], lr: Tensor) -> Tensor:
    """The output of the last layer for LR (1, 3, H, W), on the CPU."""
    blobs: dict[str, Tensor] = {}
    result = lr
    for layer in layers:
        if layer.kind == "Input":
            result = lr
        elif layer.kind == "Split":
            result = blobs[layer.inputs[0]]
        else:
            result = _RUN[layer.kind](layer, *(blobs[name] for name in layer.inputs))
        blobs.update(dict.fromkeys(layer.outputs, result))
    return result


def _settings(layers: Sequence[Layer]) -> tuple[str, object] | None:
    """Name and settings of the network that has such layers; None if there is none."""
    shapes = [_shape(layer) for layer in layers if layer.kind == "Convolution"]
    kinds = [layer.kind for layer in layers]
    if len(shapes) < 3 or shapes[0][1] != 3:
        return None
    channels = shapes[0][0]
    shuffles = [layer.values[0] for layer in layers if layer.kind == "PixelShuffle"]
    if len(shuffles) == 1 and kinds.count("PReLU") == len(shapes) - 1:
        settings: object = SRVGGSettings(
            scale=shuffles[0], num_blocks=len(shapes) - 2, channels=channels
        )
        return "srvgg", settings
    stages = kinds.count("Interp")
    blocks, rest = divmod(len(shapes) - 4 - stages, _PER_RRDB)
    if shuffles or rest or blocks < 1 or 2**stages not in SCALES:
        return None
    growth = shapes[1][0]
    return "rrdbnet", RRDBNetSettings(
        scale=2**stages, num_blocks=blocks, channels=channels, growth_channels=growth
    )


def _layers_in_order(network: nn.Module) -> Iterator[str]:
    """Names of the convolutions and PReLUs in the order of their use."""
    found: list[str] = []
    hooks = [
        module.register_forward_pre_hook(lambda *_, name=name: found.append(name))
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.PReLU)
    ]
    with torch.inference_mode():
        network(torch.zeros(1, 3, 8, 8))
    for hook in hooks:
        hook.remove()
    return iter(found)


def _state(layers: Sequence[Layer], network: nn.Module) -> Mapping[str, Tensor] | None:
    """The weights under the names of a network; None if they are of other sizes."""
    expected, state = network.state_dict(), dict[str, Any]()
    weighted = [layer for layer in layers if layer.weights]
    names = list(_layers_in_order(network))
    if len(names) != len(weighted):
        return None
    for name, layer in zip(names, weighted, strict=True):
        keys = [f"{name}.weight", f"{name}.bias"][: len(layer.weights)]
        for key, array in zip(keys, layer.weights, strict=True):
            if key not in expected or expected[key].numel() != array.size:
                return None
            state[key] = torch.from_numpy(array).view(expected[key].shape).clone()
    return state


def _fitting(layers: Sequence[Layer]) -> Snapshot | None:
    """The network of this project that gives the picture of the layers; None if there is none."""
    found = _settings(layers)
    if found is None:
        return None
    name, settings = found
    network = models.build(name, settings).eval()
    state = _state(layers, network)
    if state is None or state.keys() != network.state_dict().keys():
        return None
    network.load_state_dict(state)
    lr = torch.rand(1, 3, 24, 20, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        ours = network(lr)
    theirs = run_layers(layers, lr)
    equal = ours.shape == theirs.shape and float((ours - theirs).abs().max()) <= _TOLERANCE
    return Snapshot(network=network, name=name, settings=settings) if equal else None


def layers_to_snapshot(layers: Sequence[Layer], *, where: str) -> Snapshot:
    """The network of this project that gives the picture of the layers, on the CPU.

    Raises:
        WeightsError: There is no such network.
    """
    try:
        found = _fitting(layers)
    except (LookupError, ArithmeticError, ValueError, RuntimeError):  # layers that do not fit
        found = None
    if found is None:
        convolutions = sum(layer.kind == "Convolution" for layer in layers)
        raise WeightsError(
            f"{where}: of another network than RRDBNet and SRVGGNetCompact (got {len(layers)} "
            f"layers, {convolutions} of them convolutions). Use one of these."
        )
    return found


def open_ncnn(path: Path) -> Snapshot:
    """The network of NAME.param and NAME.bin, of which `path` is one.

    Raises:
        WeightsError: One of the files is missing or damaged, or no network of this project fits.
    """
    contents = []
    for suffix in SUFFIXES:
        part = path.with_suffix(suffix)
        if not part.is_file():
            raise WeightsError(
                f"{path}: ncnn's networks are two files, .param and .bin (got no {part.name}). "
                "Put it beside the other."
            )
        contents.append(part.read_bytes())
    return layers_to_snapshot(read_layers(*contents, where=str(path)), where=str(path))
