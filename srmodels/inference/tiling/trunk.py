"""Computes a convolutional trunk band by band, each row once, and keeps few rows in memory.

`Trunk.push` takes a band of LR rows and returns the features whose context is complete. Between two
bands, each layer keeps the input rows that its next output needs: a 3x3 convolution keeps two, an
addition as many as one of its inputs is behind the other. The features equal those of the whole
picture computed at once, but only a band is in memory.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from srmodels.inference.tiling.device import ComputeDtype, Engine
from srmodels.inference.tiling.openvino import compiled_parts, parts_of
from srmodels.models._cpu_layers import LAYERS
from srmodels.models._trunk_tail import TrunkTail

__all__ = ["FeatureBuffer", "Trunk"]

_PIXELWISE_LAYERS = (nn.PReLU, nn.ReLU, nn.LeakyReLU, nn.BatchNorm2d, nn.Identity)
_PIXELWISE = (
    *(operator.add, operator.sub, operator.mul, torch.tanh, torch.sigmoid),
    *(F.relu, F.leaky_relu, F.silu),
)
# kept, since tracing a deep network takes as long as enlarging a small picture
_GRAPHS: WeakKeyDictionary[nn.Module, fx.Graph] = WeakKeyDictionary()


class _Tracer(fx.Tracer):
    """Keeps this project's layers whole, as Fx keeps PyTorch's."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, LAYERS) or super().is_leaf_module(module, name)


class FeatureBuffer:
    """A window of rows (1, C, h, W) of a picture, from `first` to before `end`."""

    def __init__(self, first: int = 0) -> None:
        self.first = self.end = first
        self._rows: Tensor | None = None

    def append(self, rows: Tensor) -> None:
        """Adds (1, C, h, W) at the bottom."""
        self._rows = rows if self.first == self.end else torch.cat([self.rows(), rows], dim=2)
        self.end += rows.shape[2]

    def rows(self, first: int | None = None, end: int | None = None) -> Tensor:
        """Rows by their numbers in the picture; None is the first or the last there is."""
        assert self._rows is not None, "the buffer is empty"
        first, end = self.first if first is None else first, self.end if end is None else end
        return self._rows[:, :, first - self.first : end - self.first]

    def drop_before(self, first: int) -> None:
        """Frees the rows above `first`."""
        if first >= self.end:
            self.first, self._rows = self.end, None
        elif first > self.first:
            rest = self.rows(first).clone(memory_format=torch.preserve_format)
            self.first, self._rows = first, rest  # a slice would keep all rows in memory


@dataclass
class _Step:
    """One or more nodes of the traced graph, and the output rows that others still need."""

    arguments: tuple[Any, ...]  # nodes whose rows it reads, and numbers
    function: Callable[..., Tensor]  # of the arguments
    context: int = 0  # rows above and below that an output row depends on
    cropped: bool = False  # its output has the context, too; else its input is padded with zeros
    output: FeatureBuffer = field(default_factory=FeatureBuffer)
    inputs: "list[_Step]" = field(default_factory=list)
    users: "list[_Step]" = field(default_factory=list)
    lag: int = 0  # rows by which it is behind LR
    pixel_bytes: int = 0  # of one pixel of its output; 0 before the first row

    def append(self, rows: Tensor) -> None:
        """Adds output rows (1, C, h, W)."""
        self.output.append(rows)
        self.pixel_bytes = rows.shape[1] * rows.element_size()

    def rows_kept(self) -> int:
        """Rows kept between two bands."""
        return max((user.lag + user.context - self.lag for user in self.users), default=0)


class _Features(nn.Module):
    """`features_of` as a module, for tracing."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: Tensor) -> Tensor:
        assert isinstance(self.network, TrunkTail), f"{type(self.network).__name__} has no trunk"
        return self.network.features_of(lr)


def _without_row_padding(layer: nn.Conv2d) -> Callable[[Tensor], Tensor]:
    """The convolution; its weights, tied or in half precision, are made once, not for each band."""
    side, bias = layer.kernel_size[1] // 2, layer.bias
    made: dict[torch.dtype, tuple[Tensor, Tensor | None]] = {}

    def convolve(rows: Tensor) -> Tensor:
        dtype, kind = rows.dtype, rows.device.type
        if torch.is_autocast_enabled(kind):
            dtype = torch.get_autocast_dtype(kind)
        if dtype not in made:
            made[dtype] = layer.weight.to(dtype), None if bias is None else bias.to(dtype)
        return F.conv2d(rows, *made[dtype], padding=(0, side))

    return convolve


def _keeps_size(layer: nn.Conv2d) -> bool:
    return (
        (layer.stride, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
        and layer.padding == tuple(side // 2 for side in layer.kernel_size)
        and layer.padding_mode == "zeros"
    )


class Trunk:
    """The trunk of a `TrunkTail` for one picture, or one vertical strip, of `height` rows.

    A layer computes at most `band` rows at a time, so that the rows that lag behind do not come all
    at once at the end of the picture. `precision` is OpenVINO's; PyTorch's is that of autocast.
    """

    def __init__(
        self,
        network: nn.Module,
        height: int,
        band: int,
        *,
        engine: Engine = "torch",
        precision: ComputeDtype = "fp32",
    ) -> None:
        root = _Features(network)
        self._height, self._band = height, band
        if network not in _GRAPHS:
            _GRAPHS[network] = _Tracer().trace(root)
        graph = _GRAPHS[network]
        self._constants: dict[fx.Node, Tensor] = {}
        self._steps: dict[fx.Node, _Step] = {}
        if engine == "openvino":
            self._add_parts(graph, root, precision)
        else:
            for node in graph.nodes:
                self._add(node, root)
        features = graph.output_node().args[0]
        assert isinstance(features, fx.Node), "a trunk returns one tensor"
        self._output = self._steps[features].output
        for step in self._steps.values():
            nodes = [argument for argument in step.arguments if isinstance(argument, fx.Node)]
            step.inputs = [source for node in nodes for source in self._inputs(node)]
            step.lag = step.context + max((source.lag for source in step.inputs), default=0)
            for source in step.inputs:
                source.users.append(step)

    def _add_parts(self, graph: fx.Graph, root: _Features, precision: ComputeDtype) -> None:
        """Steps of several nodes each, by OpenVINO."""
        for node in graph.nodes:
            if node.op not in ("call_module", "call_function"):
                self._add(node, root)
        parts = parts_of(graph, root)
        functions = compiled_parts(parts, root.network, root, precision)
        for part, function in zip(parts, functions, strict=True):
            step = _Step(part.inputs, function, part.context, cropped=True)
            self._steps[part.output] = step

    def _add(self, node: fx.Node, root: nn.Module) -> None:
        if node.op == "get_attr":
            self._constants[node] = operator.attrgetter(str(node.target))(root)
        elif node.op == "placeholder":
            self._steps[node] = _Step((), torch.clone)
        elif node.op == "call_module":
            layer = root.get_submodule(str(node.target))
            if isinstance(layer, nn.Conv2d) and _keeps_size(layer):
                convolution = _without_row_padding(layer)
                self._steps[node] = _Step(node.args, convolution, layer.kernel_size[0] // 2)
            else:
                assert isinstance(layer, _PIXELWISE_LAYERS), f"a trunk cannot have {layer}"
                self._steps[node] = _Step(node.args, layer)
        elif node.op == "call_function" and node.target in _PIXELWISE:
            assert callable(node.target), "a function is"
            self._steps[node] = _Step(node.args, partial(node.target, **node.kwargs))
        else:
            known = node.op == "output" or node.target is torch.cat
            assert known, f"a trunk cannot have {node.format_node()}"

    def _inputs(self, node: fx.Node) -> list[_Step]:
        """The step of a node; for a concatenation, which is done on demand, those of its parts."""
        if node in self._steps or node in self._constants:
            return [self._steps[node]] if node in self._steps else []
        return [step for part in node.all_input_nodes for step in self._inputs(part)]

    def _value(self, argument: Any, first: int, end: int) -> Any:  # noqa: ANN401 - numbers, too
        if not isinstance(argument, fx.Node):
            return argument
        if argument in self._constants:
            return self._constants[argument]
        if argument in self._steps:
            return self._steps[argument].output.rows(first, end)
        tensors, dim = argument.args[0], argument.args[1:] or argument.kwargs["dim"]
        assert dim in (1, (1,)), "a trunk concatenates channels only"
        assert isinstance(tensors, Sequence), "torch.cat takes a list"
        parts = [self._value(tensor, first, end) for tensor in tensors]
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]

    def _advance(self, step: _Step) -> None:
        """Computes the rows of a step that have their context, and drops rows no longer needed."""
        ready = min(source.output.end for source in step.inputs)
        first, end = step.output.end, ready if ready == self._height else ready - step.context
        end = min(end, first + self._band)
        if end > first:
            top, bottom = first - step.context, end + step.context
            padding = max(0, -top), max(0, bottom - self._height)  # rows of zeros
            inside = top + padding[0], bottom - padding[1]
            arguments = [self._value(argument, *inside) for argument in step.arguments]
            if any(padding) and not step.cropped:
                arguments[0] = F.pad(arguments[0], (0, 0, *padding))
            rows = step.function(*arguments)
            step.append(rows[:, :, first - inside[0] : end - inside[0]] if step.cropped else rows)
        for source in step.inputs:
            needed = min(user.output.end - user.context for user in source.users)
            source.output.drop_before(needed)

    def push(self, lr: Tensor | None) -> Tensor | None:
        """Takes LR rows (1, 3, h, W), at most a band, and returns complete features (1, C, h, W).

        After the last rows, push None. Returns None if no row of features is complete.
        """
        lr_step, *others = self._steps.values()
        if lr is not None:
            lr_step.append(lr)
        for step in others:
            self._advance(step)
        if self._output.first == self._output.end:
            return None
        features = self._output.rows()
        self._output.drop_before(self._output.end)
        return features

    def bytes_per_column(self) -> int:
        """Bytes kept between two bands per column of the picture; known after a first push."""
        return sum(step.rows_kept() * step.pixel_bytes for step in self._steps.values())
