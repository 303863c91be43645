"""A convolutional trunk rolled down a picture: every row is computed once, and few are kept.

Bands of LR rows go in at the top, bands of features come out as far as they are settled. Between
two bands each layer keeps those rows of its input that its next output still needs: a 3x3
convolution two, an addition as many as its one side lags behind the other. What comes out is what
the whole picture in one piece would give, with memory for a band instead of for the picture.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from srmodels.models._split import Split

__all__ = ["Held", "Trunk"]

_PIXELWISE_LAYERS = (nn.PReLU, nn.ReLU, nn.LeakyReLU, nn.BatchNorm2d, nn.Identity)
_PIXELWISE = (operator.add, operator.sub, operator.mul, F.relu, F.leaky_relu, torch.tanh)
# tracing a deep network takes as long as enlarging a small picture
_GRAPHS: WeakKeyDictionary[nn.Module, fx.Graph] = WeakKeyDictionary()


class Held:
    """The rows of something that are still needed, by their number in the picture.

    Args:
        first: The number of the first row there will be.
    """

    def __init__(self, first: int = 0) -> None:
        self.first = self.end = first
        self._rows: Tensor | None = None

    def append(self, rows: Tensor) -> None:
        """Puts (1, C, h, W) below what is held."""
        self._rows = rows if self.first == self.end else torch.cat([self.rows(), rows], dim=2)
        self.end += rows.shape[2]

    def rows(self, first: int | None = None, end: int | None = None) -> Tensor:
        """Rows from one number to before another; None is as far as there are any."""
        assert self._rows is not None, "something was appended"
        first, end = self.first if first is None else first, self.end if end is None else end
        return self._rows[:, :, first - self.first : end - self.first]

    def drop_before(self, first: int) -> None:
        """Forgets the rows above a number."""
        if first >= self.end:
            self.first, self._rows = self.end, None
        elif first > self.first:
            kept = self.rows(first).clone(memory_format=torch.preserve_format)
            self.first, self._rows = first, kept  # a slice would hold on to all


@dataclass
class _Step:
    """A layer that makes its own rows of others'.

    Attributes:
        node: In the graph.
        work: Of the node's arguments.
        reach: Rows above and below one that it depends on.
        held: Its rows that are still needed.
        sources: The steps whose rows it takes.
        users: The steps that take its rows.
        lag: Rows by which it is behind LR.
        pixel_bytes: Of one pixel of its rows, once there were any.
    """

    node: fx.Node
    work: Callable[..., Tensor]
    reach: int = 0
    held: Held = field(default_factory=Held)
    sources: "list[_Step]" = field(default_factory=list)
    users: "list[_Step]" = field(default_factory=list)
    lag: int = 0
    pixel_bytes: int = 0

    def append(self, rows: Tensor) -> None:
        """Takes its next rows, (1, C, h, W)."""
        self.held.append(rows)
        self.pixel_bytes = rows.shape[1] * rows.element_size()

    def kept(self) -> int:
        """How many rows it keeps between two bands."""
        return max((user.lag + user.reach - self.lag for user in self.users), default=0)


class _Features(nn.Module):
    """The trunk as a module of its own."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: Tensor) -> Tensor:
        assert isinstance(self.network, Split), f"{type(self.network).__name__} has no trunk"
        return self.network.features_of(lr)


def _rolled(layer: nn.Conv2d) -> Callable[[Tensor], Tensor]:
    """A convolution that leaves the rows above and below to the caller."""
    side = layer.kernel_size[1] // 2
    return lambda rows: F.conv2d(rows, layer.weight, layer.bias, padding=(0, side))


def _is_same_sized(layer: nn.Conv2d) -> bool:
    kernel = layer.kernel_size
    return (
        (layer.stride, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
        and layer.padding == tuple(side // 2 for side in kernel)
        and layer.padding_mode == "zeros"
    )


class Trunk:
    """The trunk of a network on its way down one picture, or one upright strip of it.

    Args:
        network: Has a trunk as `Split` describes it.
        height: Of the picture, in rows.
        band: How many rows a layer computes at most at a time; what its lag has dammed up at the
            end of the picture would else come all at once.
    """

    def __init__(self, network: nn.Module, height: int, band: int) -> None:
        root = _Features(network)
        self._height, self._band = height, band
        if network not in _GRAPHS:
            _GRAPHS[network] = fx.Tracer().trace(root)
        self._graph = _GRAPHS[network]
        self._constants: dict[fx.Node, Tensor] = {}
        self._steps: dict[fx.Node, _Step] = {}
        for node in self._graph.nodes:
            self._add(node, root)
        features = self._graph.output_node().args[0]
        assert isinstance(features, fx.Node), "a trunk returns one tensor"
        self._output = self._steps[features]
        for step in self._steps.values():
            inputs = step.node.all_input_nodes
            step.sources = [source for node in inputs for source in self._sources(node)]
            step.lag = step.reach + max((source.lag for source in step.sources), default=0)
            for source in step.sources:
                source.users.append(step)

    def _add(self, node: fx.Node, root: nn.Module) -> None:
        if node.op == "get_attr":
            self._constants[node] = operator.attrgetter(str(node.target))(root)
        elif node.op == "placeholder":
            self._steps[node] = _Step(node, torch.clone)
        elif node.op == "call_module":
            layer = root.get_submodule(str(node.target))
            if isinstance(layer, nn.Conv2d) and _is_same_sized(layer):
                self._steps[node] = _Step(node, _rolled(layer), layer.kernel_size[0] // 2)
            else:
                assert isinstance(layer, _PIXELWISE_LAYERS), f"{layer} looks around itself"
                self._steps[node] = _Step(node, layer)
        elif node.op == "call_function" and node.target in _PIXELWISE:
            assert callable(node.target), "a function is"
            self._steps[node] = _Step(node, node.target)
        else:
            known = node.op == "output" or node.target is torch.cat
            assert known, f"a trunk cannot have {node.format_node()}"

    def _sources(self, node: fx.Node) -> list[_Step]:
        """The steps whose rows a node's are; a concatenation is made when it is needed."""
        if node in self._steps:
            return [self._steps[node]]
        return [step for each in node.all_input_nodes for step in self._sources(each)]

    def _value(self, argument: Any, first: int, end: int) -> Any:  # noqa: ANN401 - numbers, too
        if not isinstance(argument, fx.Node):
            return argument
        if argument in self._constants:
            return self._constants[argument]
        if argument in self._steps:
            return self._steps[argument].held.rows(first, end)
        tensors, dim = argument.args[0], argument.args[1:] or argument.kwargs["dim"]
        assert dim in (1, (1,)), "channels are what is put together"
        assert isinstance(tensors, Sequence), "torch.cat takes a list"
        return torch.cat([self._value(each, first, end) for each in tensors], dim=1)

    def _advance(self, step: _Step) -> None:
        """Computes what rows of a step can be, and forgets what nobody needs any more."""
        ready = min(source.held.end for source in step.sources)
        first, end = step.held.end, ready if ready == self._height else ready - step.reach
        end = min(end, first + self._band)
        if end > first:
            above, below = first - step.reach, end + step.reach
            beyond = max(0, -above), max(0, below - self._height)  # rows of zero padding
            inside = above + beyond[0], below - beyond[1]
            inputs = [self._value(each, *inside) for each in step.node.args]
            if any(beyond):
                inputs[0] = F.pad(inputs[0], (0, 0, *beyond))
            step.append(step.work(*inputs, **step.node.kwargs))
        for source in step.sources:
            source.held.drop_before(min(user.held.end - user.reach for user in source.users))

    def push(self, lr: Tensor | None) -> Tensor | None:
        """Takes the next rows of LR and gives the features that are settled by now.

        Args:
            lr: (1, 3, h, W), h at most a band; None below the last ones.

        Returns:
            (1, C, h, W), or None.
        """
        lr_step, *others = self._steps.values()
        if lr is not None:
            lr_step.append(lr)
        for step in others:
            self._advance(step)
        held = self._output.held
        if held.first == held.end:
            return None
        features = held.rows()
        held.drop_before(held.end)
        return features

    def bytes_per_column(self) -> int:
        """What is kept between two bands, in bytes for each column of the picture."""
        assert self._output.pixel_bytes, "known only after a first push"
        return sum(step.kept() * step.pixel_bytes for step in self._steps.values())
