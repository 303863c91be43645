"""A generator as ncnn's two files, for Upscayl and the programs that end in -ncnn-vulkan.

The input is `data`, RGB (3, H, W) in [0, 1], the output `output`, not clamped, as in
realesrgan-ncnn-vulkan's own networks. Weights are fp32.
"""

import operator
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from srmodels.errors import ConfigError
from srmodels.models._cpu_layers import LAYERS
from srmodels.models._layers import BICUBIC_REACH, EvenConv2d
from srmodels.pretrained.ncnn_files import Layer
from srmodels.resize.tensors import enlarge

INPUT, OUTPUT = "data", "output"
_NO_BOUND = -233  # of a Crop
_OPERATIONS = {operator.add: 0, operator.sub: 1, operator.mul: 2, operator.truediv: 3}
_REVERSED = {1: 7, 3: 8}  # number minus or divided by a blob


class _Tracer(fx.Tracer):
    """Keeps this project's layers whole, and the bicubic enlargement as one call."""

    def __init__(self) -> None:
        super().__init__(autowrap_functions=(enlarge,))

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, (nn.Conv2d, *LAYERS)) or super().is_leaf_module(module, name)


def _floats(tensor: Tensor) -> Any:  # noqa: ANN401 - NumPy's flat float32
    return tensor.detach().float().contiguous().numpy().ravel()


class _Writer:
    """Layers that are added in the order of their use; each returns the name of its blob."""

    def __init__(self) -> None:
        self.layers = [Layer(kind="Input", name="input", outputs=(INPUT,))]

    def add(self, kind: str, *inputs: str, weights: tuple[Any, ...] = (), **values: Any) -> str:  # noqa: ANN401
        """A layer whose parameter 0 is `p0`."""
        name = f"{kind.lower()}_{len(self.layers)}"
        numbered = {int(key[1:]): value for key, value in values.items()}
        self.layers.append(
            Layer(
                kind=kind,
                name=name,
                inputs=inputs,
                outputs=(name,),
                values=numbered,
                weights=weights,
            )
        )
        return name

    def convolution(self, blob: str, weight: Tensor, bias: Tensor | None, padding: int) -> str:
        arrays = (_floats(weight),) if bias is None else (_floats(weight), _floats(bias))
        out, _, _, side = weight.shape
        values = {"p0": out, "p1": side, "p4": padding, "p5": int(bias is not None)}
        return self.add("Convolution", blob, weights=arrays, **values, p6=weight.numel())

    def affine(self, blob: str, factor: Tensor, shift: Tensor) -> str:
        """Each channel times a factor plus a shift."""
        ones, zeros = torch.ones_like(factor), torch.zeros_like(factor)
        arrays = tuple(map(_floats, (factor, zeros, ones, shift)))
        return self.add("BatchNorm", blob, weights=arrays, p0=factor.numel(), p1=0.0)

    def mirror(self, blob: str, axis: int) -> str:
        """Repeats the outer two rows (axis 1) or columns (2), the outermost first."""
        first = [(1, 2), (0, 1)]
        last = [(-1, _NO_BOUND), (-2, -1)]
        before, after = (
            [self.add("Crop", blob, p9=(start,), p10=(end,), p11=(axis,)) for start, end in part]
            for part in (first, last)
        )
        return self.add("Concat", *before, blob, *after, p0=axis)

    def enlarge(self, blob: str, scale: int) -> str:
        """The bicubic enlargement as a convolution of the mirrored picture and PixelShuffle."""
        side, middle = 2 * BICUBIC_REACH + 1, 4 * BICUBIC_REACH
        impulse = torch.zeros(1, 1, 2 * middle + 1, 2 * middle + 1)
        impulse[..., middle, middle] = 1
        phases = F.pixel_unshuffle(enlarge(impulse, scale), scale)[0]  # (scale^2, H, W)
        start, end = middle - BICUBIC_REACH, middle + BICUBIC_REACH + 1
        kernels = phases[:, start:end, start:end].flip(1, 2)
        weight = torch.zeros(3, scale**2, 3, side, side)
        for colour in range(3):
            weight[colour, :, colour] = kernels
        mirrored = self.mirror(self.mirror(blob, 1), 2)
        shuffled = self.convolution(mirrored, weight.flatten(0, 1), None, 0)
        return self.add("PixelShuffle", shuffled, p0=scale)


def _convolution(writer: _Writer, blob: str, layer: nn.Conv2d) -> str | None:
    if isinstance(layer, EvenConv2d):
        return writer.convolution(blob, *layer.even(), 1)
    strides = (layer.stride, layer.dilation, layer.groups, layer.padding_mode)
    if strides != ((1, 1), (1, 1), 1, "zeros"):
        return None
    return writer.convolution(blob, layer.weight, layer.bias, int(layer.padding[0]))


def _batch_norm(writer: _Writer, blob: str, layer: nn.BatchNorm2d) -> str:
    mean, variance = layer.running_mean, layer.running_var
    assert mean is not None, "it has statistics"
    assert variance is not None, "it has statistics"
    factor = layer.weight / torch.sqrt(variance + layer.eps)
    return writer.affine(blob, factor, layer.bias - mean * factor)


def _nearest(writer: _Writer, blob: str, scale: Any, mode: str) -> str | None:  # noqa: ANN401
    if mode != "nearest" or not scale:
        return None
    return writer.add("Interp", blob, p0=1, p1=float(scale), p2=float(scale))


_MODULES: dict[type[nn.Module], Callable[..., str | None]] = {
    nn.Conv2d: _convolution,
    nn.BatchNorm2d: _batch_norm,
    nn.PReLU: lambda w, x, layer: w.add(
        "PReLU", x, weights=(_floats(layer.weight),), p0=layer.num_parameters
    ),
    nn.ReLU: lambda w, x, _: w.add("ReLU", x, p0=0.0),
    nn.LeakyReLU: lambda w, x, layer: w.add("ReLU", x, p0=layer.negative_slope),
    nn.PixelShuffle: lambda w, x, layer: w.add("PixelShuffle", x, p0=layer.upscale_factor),
    nn.Upsample: lambda w, x, layer: _nearest(w, x, layer.scale_factor, layer.mode),
    nn.Identity: lambda _, x, __: x,
}


def _module(writer: _Writer, layer: nn.Module, blob: str) -> str | None:
    """The blob of a module's result; None if ncnn has no such layer here."""
    found = (write for kind, write in _MODULES.items() if isinstance(layer, kind))
    write = next(found, None)
    return None if write is None else write(writer, blob, layer)


def _arithmetic(writer: _Writer, function: Any, first: Any, second: Any) -> str | None:  # noqa: ANN401
    """A blob with a blob, a number, or a tensor of one value per colour."""
    operation, swapped = _OPERATIONS[function], not isinstance(first, str)
    if isinstance(first, str) and isinstance(second, str):
        return writer.add("BinaryOp", first, second, p0=operation)
    blob, other = (second, first) if swapped else (first, second)
    if isinstance(other, Tensor):
        if function not in (operator.add, operator.sub) or swapped:
            return None
        shift = other.flatten() if function is operator.add else -other.flatten()
        return writer.affine(blob, torch.ones_like(shift), shift)
    number = _REVERSED.get(operation, operation) if swapped else operation
    return writer.add("BinaryOp", blob, p0=number, p1=1, p2=float(other))


_FUNCTIONS: dict[Any, Callable[..., str | None]] = {
    F.relu: lambda w, x, **_: w.add("ReLU", x, p0=0.0),
    F.leaky_relu: lambda w, x, negative_slope=0.01, **_: w.add("ReLU", x, p0=negative_slope),
    F.silu: lambda w, x, **_: w.add("Swish", x),
    torch.sigmoid: lambda w, x: w.add("Sigmoid", x),
    torch.tanh: lambda w, x: w.add("TanH", x),
    torch.cat: lambda w, xs, dim=0: w.add("Concat", *xs, p0=0) if dim == 1 else None,
    F.pixel_shuffle: lambda w, x, factor: w.add("PixelShuffle", x, p0=factor),
    F.interpolate: lambda w, x, scale_factor=None, mode="", **_: _nearest(w, x, scale_factor, mode),
    enlarge: lambda w, x, scale: w.enlarge(x, scale),
}


def _with_splits(layers: list[Layer]) -> list[Layer]:
    """Inserts a Split after each blob that several layers read, as ncnn wants it."""
    uses = Counter(blob for layer in layers for blob in layer.inputs)
    copies = {blob: iter(range(count)) for blob, count in uses.items() if count > 1}
    result = list[Layer]()
    for layer in layers:
        inputs = (f"{b}_{next(copies[b])}" if b in copies else b for b in layer.inputs)
        result.append(replace(layer, inputs=tuple(inputs)))
        for blob in layer.outputs:
            if blob in copies:
                names = tuple(f"{blob}_{number}" for number in range(uses[blob]))
                result.append(
                    Layer(kind="Split", name=f"split_{blob}", inputs=(blob,), outputs=names)
                )
    return result


def to_layers(network: nn.Module, *, name: str) -> list[Layer]:
    """The layers of a generator, which is on the CPU and in eval mode.

    Raises:
        ConfigError: Its layers are not among ncnn's that are written here.
    """
    writer, blobs = _Writer(), dict[fx.Node, Any]()
    try:
        graph = _Tracer().trace(network)
    except fx.proxy.TraceError:
        raise _unsupported(name, "a loop or a condition over tensors") from None
    for node in graph.nodes:
        arguments = fx.node.map_arg(node.args, lambda each: blobs[each])
        options: Mapping[str, Any] = fx.node.map_arg(node.kwargs, lambda each: blobs[each])
        if node.op == "placeholder":
            blobs[node] = INPUT
        elif node.op == "get_attr":
            blobs[node] = operator.attrgetter(node.target)(network)
        elif node.op == "output":
            break
        elif node.op == "call_module":
            blobs[node] = _module(writer, network.get_submodule(node.target), arguments[0])
        elif node.target is getattr:  # lr.dtype
            blobs[node] = torch.float32
        elif node.target == "to":
            blobs[node] = arguments[0]
        elif node.target in _OPERATIONS:
            blobs[node] = _arithmetic(writer, node.target, *arguments)
        elif node.target in _FUNCTIONS:
            blobs[node] = _FUNCTIONS[node.target](writer, *arguments, **options)
        else:
            blobs[node] = None
        if blobs[node] is None:
            raise _unsupported(name, str(getattr(node.target, "__name__", node.target)))
    writer.layers[-1] = replace(writer.layers[-1], outputs=(OUTPUT,))
    return _with_splits(writer.layers)


def _unsupported(name: str, what: str) -> ConfigError:
    return ConfigError(
        f"ncnn: {name} has a part that is not among ncnn's layers here (got {what}). Use rrdbnet, "
        "srvgg, span, edsr or srresnet (of one member), or export onnx, which every network has."
    )
