"""Parts of a trunk compiled by OpenVINO, Intel's inference library (Apache 2.0), for CPUs.

OpenVINO joins a convolution with what follows it and copies no features to concatenate them. A part
computes whole bands of rows with zero padding, so that its border rows are right at the picture's
top and bottom only; `trunk` gives it `context` rows more on both sides and cuts them off again.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from srmodels.errors import ConfigError
from srmodels.inference.tiling.device import ComputeDtype, device_of
from srmodels.models._trunk_tail import TrunkTail

__all__ = ["Part", "check_engine", "compiled_parts", "parts_of"]

_CONTEXT = 5  # rows around a part's band: a dense block of ESRGAN has five convolutions of 3x3


@dataclass(frozen=True)
class Part:
    """Consecutive nodes of a traced trunk, of which only the last is needed outside."""

    nodes: tuple[fx.Node, ...]
    inputs: tuple[fx.Node, ...]  # nodes outside whose features it reads
    context: int  # rows above and below that an output row depends on

    @property
    def output(self) -> fx.Node:
        """The last node."""
        return self.nodes[-1]


CompiledPart = Callable[..., Tensor]
"""Features (1, C, h, W) of a part's inputs to those of its output, float32 and channels_last."""

_COMPILED: WeakKeyDictionary[nn.Module, dict[tuple[ComputeDtype, int], list[CompiledPart]]] = (
    WeakKeyDictionary()
)


def check_engine(network: nn.Module) -> None:
    """Raises ConfigError if OpenVINO is missing, or does not run this network where it is."""
    try:
        import openvino  # noqa: F401
    except ImportError:
        raise ConfigError(
            "openvino: is not installed. Run: pip install 'srmodels[openvino]'"
        ) from None
    if not isinstance(network, TrunkTail):
        raise ConfigError(
            f"engine: openvino runs networks of plain convolutions (got {type(network).__name__}). "
            "Use torch."
        )
    if device_of(network).type != "cpu":
        raise ConfigError(
            f"engine: openvino runs on the CPU (got {device_of(network)}). Use torch, or the CPU."
        )


def _own_context(node: fx.Node, root: nn.Module) -> int:
    layer = root.get_submodule(str(node.target)) if node.op == "call_module" else None
    return int(layer.kernel_size[0]) // 2 if isinstance(layer, nn.Conv2d) else 0


def _part(nodes: Sequence[fx.Node], root: nn.Module) -> Part | None:
    """The nodes as a part; None if more than the last is needed outside."""
    inside = set(nodes)
    if nodes[-1].target is torch.cat or any(
        user not in inside for node in nodes[:-1] for user in node.users
    ):
        return None
    context: dict[fx.Node, int] = {}
    inputs: dict[fx.Node, None] = {}  # in order
    for node in nodes:
        sources = [source for source in node.all_input_nodes if source.op != "get_attr"]
        inputs |= dict.fromkeys(source for source in sources if source not in inside)
        before = max((context.get(source, 0) for source in sources), default=0)
        context[node] = before + _own_context(node, root)
    return Part(tuple(nodes), tuple(inputs), context[nodes[-1]])


def parts_of(graph: fx.Graph, root: nn.Module) -> list[Part]:
    """Cuts a traced trunk into parts, each with a context of at most 5 rows where that is possible.

    A part ends where one tensor is enough to go on, apart from those that earlier parts have made.
    """
    kinds = ("call_module", "call_function")
    rest = [node for node in graph.nodes if node.op in kinds]
    parts = []
    while rest:
        chosen: Part | None = None
        for count in range(1, len(rest) + 1):
            part = _part(rest[:count], root)
            if chosen is not None and part is not None and part.context > _CONTEXT:
                break
            chosen = part or chosen
            reached = sum(_own_context(node, root) for node in rest[:count])
            if chosen is not None and reached > 2 * _CONTEXT:
                break
        assert chosen is not None, "a trunk returns one tensor"
        parts.append(chosen)
        rest = rest[len(chosen.nodes) :]
    return parts


_Value = Any  # of OpenVINO, which has no types

_FUNCTIONS = {
    operator.add: "add",
    operator.sub: "subtract",
    operator.mul: "multiply",
    torch.tanh: "tanh",
    torch.sigmoid: "sigmoid",
    F.relu: "relu",
    F.silu: "swish",
}


class _Model:
    """A part as a model of OpenVINO, whose inputs and output are (1, h, W, C).

    Weights are inputs, too, so that the parts of a network that differ in nothing else share one
    compiled model and its memory. `key` is the same for such parts.
    """

    def __init__(self, part: Part, root: nn.Module) -> None:
        from openvino import opset13

        self._op, self._root = opset13, root
        self.weights: list[NDArray[np.float32]] = []
        self._parameters = [opset13.parameter([1, -1, -1, -1], np.float32) for _ in part.inputs]
        to_channels_first = opset13.constant(np.array([0, 3, 1, 2]))
        self._values: dict[fx.Node, _Value] = {
            node: opset13.transpose(parameter, to_channels_first)
            for node, parameter in zip(part.inputs, self._parameters, strict=True)
        }
        numbers = {node: number for number, node in enumerate((*part.inputs, *part.nodes))}
        key: list[object] = []
        for node in part.nodes:
            arguments = fx.node.map_arg(node.args, lambda source: numbers.get(source, -1))
            before = len(self.weights)
            self._values[node] = self._node(node)
            shapes = [weight.shape for weight in self.weights[before:]]
            key.append((self._kind(node), arguments, node.kwargs, shapes))
        self.key = repr(key)
        to_channels_last = opset13.constant(np.array([0, 2, 3, 1]))
        self._output = opset13.transpose(self._values[part.output], to_channels_last)

    def build(self) -> _Value:
        """OpenVINO's model; its inputs are those of the part, then the weights."""
        import openvino

        return openvino.Model([self._output], self._parameters)

    def _weight(self, value: Tensor) -> _Value:
        self.weights.append(np.ascontiguousarray(value.detach().float().numpy()))
        parameter = self._op.parameter(list(value.shape), np.float32)
        self._parameters.append(parameter)
        return parameter

    def _number(self, value: float) -> _Value:
        return self._op.constant(np.array([value], np.float32))

    def _value(self, argument: object) -> _Value:
        if isinstance(argument, list | tuple):
            return [self._value(each) for each in argument]
        if isinstance(argument, fx.Node):
            if argument.op == "get_attr":
                return self._weight(operator.attrgetter(str(argument.target))(self._root))
            return self._values[argument]
        return self._number(argument) if isinstance(argument, int | float) else argument

    def _kind(self, node: fx.Node) -> str:
        if node.op != "call_module":
            return str(node.target)
        layer = self._root.get_submodule(str(node.target))
        return f"{type(layer).__name__} {getattr(layer, 'negative_slope', '')}"

    def _node(self, node: fx.Node) -> _Value:
        if node.op == "call_module":
            layer = self._root.get_submodule(str(node.target))
            return self._layer(layer, self._value(node.args[0]))
        if node.target is torch.cat:
            return self._op.concat(self._value(node.args[0]), 1)
        if node.target is F.leaky_relu:
            slope = node.args[1] if len(node.args) > 1 else node.kwargs.get("negative_slope", 0.01)
            return self._op.prelu(self._value(node.args[0]), self._value(slope))
        assert node.target in _FUNCTIONS, f"a trunk cannot have {node.format_node()}"
        name = _FUNCTIONS[node.target]
        count = 2 if name in ("add", "subtract", "multiply") else 1
        return getattr(self._op, name)(*map(self._value, node.args[:count]))

    def _layer(self, layer: nn.Module, features: _Value) -> _Value:
        if isinstance(layer, nn.Conv2d):
            return self._convolution(layer, features)
        if isinstance(layer, nn.BatchNorm2d):
            return self._batch_norm(layer, features)
        if isinstance(layer, nn.PReLU):
            return self._op.prelu(features, self._weight(layer.weight))
        if isinstance(layer, nn.LeakyReLU):
            return self._op.prelu(features, self._number(layer.negative_slope))
        known = isinstance(layer, nn.ReLU | nn.Identity)
        assert known, f"a trunk cannot have {layer}"
        return self._op.relu(features) if isinstance(layer, nn.ReLU) else features

    def _convolution(self, layer: nn.Conv2d, features: _Value) -> _Value:
        one, sides = [1, 1], [side // 2 for side in layer.kernel_size]
        result = self._op.convolution(features, self._weight(layer.weight), one, sides, sides, one)
        if layer.bias is None:
            return result
        return self._op.add(result, self._weight(layer.bias.view(1, -1, 1, 1)))

    def _batch_norm(self, layer: nn.BatchNorm2d, features: _Value) -> _Value:
        mean, variance = layer.running_mean, layer.running_var
        assert mean is not None, "batch norm in eval mode has statistics"
        assert variance is not None, "batch norm in eval mode has statistics"
        factor = layer.weight / (variance + layer.eps).sqrt()
        shift = layer.bias - mean * factor
        scaled = self._op.multiply(features, self._weight(factor.view(1, -1, 1, 1)))
        return self._op.add(scaled, self._weight(shift.view(1, -1, 1, 1)))


def _runner(compiled: _Value, weights: Sequence[NDArray[np.float32]]) -> CompiledPart:
    def run(*features: Tensor) -> Tensor:
        rows = [tensor.float().permute(0, 2, 3, 1).contiguous().numpy() for tensor in features]
        return torch.from_numpy(compiled([*rows, *weights])[0]).permute(0, 3, 1, 2)

    return run


def compiled_parts(
    parts: Sequence[Part], network: nn.Module, root: nn.Module, precision: ComputeDtype
) -> list[CompiledPart]:
    """The parts of a network, compiled once for PyTorch's number of threads and a precision."""
    import openvino

    key = precision, torch.get_num_threads()
    known = _COMPILED.setdefault(network, {})
    if key not in known:
        options = {
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "NUM_STREAMS": 1,
        }
        core, compiled = openvino.Core(), dict[str, _Value]()
        with torch.inference_mode():
            models = [_Model(part, root) for part in parts]
            for model in models:
                if model.key not in compiled:
                    compiled[model.key] = core.compile_model(model.build(), "CPU", options)
            known[key] = [_runner(compiled[model.key], model.weights) for model in models]
    return known[key]
