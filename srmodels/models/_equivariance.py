"""Convolutions that are equivariant to the flips and quarter turns of a picture (group p4m).

Cohen, Welling. Group Equivariant Convolutional Networks. ICML 2016.
https://arxiv.org/abs/1602.07576. SR of a turned or flipped LR is the turned or flipped SR. Feature
maps form fields of eight, one map per group element; a layer's weights follow from those of one map
per field (section 6.2). Layers stay ordinary convolutions with all weights: tied weights start
equal, and their gradients are averaged, so Adam and Muon keep them equal up to rounding.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor, nn

FIELD = 8
"""Feature maps per field: the flips and turns of a square."""
_COLOURS = 3
_TOLERANCE = 1e-2  # of a layer's norm; 7e-5 measured after 30,000 steps
# The group as matrices that act on (row, column) from the centre; the identity comes first.
_GROUP = (
    *(((a, 0), (0, b)) for a in (1, -1) for b in (1, -1)),
    *(((0, a), (b, 0)) for a in (1, -1) for b in (1, -1)),
)


def _pixel_permutations(side: int) -> Tensor:
    """(8, side^2): where each group element moves each pixel of a square."""
    position = torch.cartesian_prod(torch.arange(side), torch.arange(side))
    moved = (2 * position - (side - 1)) @ torch.tensor(_GROUP).transpose(1, 2)
    return ((moved + side - 1) // 2 * torch.tensor([side, 1])).sum(-1)


def _map_permutations(maps: int) -> Tensor:
    """(8, maps): where each group element moves the maps of a field, or one colour."""
    if maps == 1:
        return torch.zeros(FIELD, 1, dtype=torch.long)
    group = torch.tensor(_GROUP)
    products = group[:, None] @ group
    return (products[:, :, None] == group).all(-1).all(-1).int().argmax(-1)


def _pair_permutations(first: Tensor, second: Tensor) -> Tensor:
    """(8, A) and (8, B) to (8, A B): where each group element moves pairs of entries."""
    return (first[:, :, None] * second.shape[1] + second[:, None, :]).flatten(1)


@dataclass(frozen=True)
class _Layout:
    """The output side or the input side of a weight."""

    fields: int = 1  # or colours
    maps: int = 1  # per field; 1 for a colour
    side: int = 1  # in pixels, of an input's kernel, of the PixelShuffle after an output

    @property
    def entries(self) -> int:
        return self.maps * self.side**2

    def permutations(self) -> Tensor:
        """(8, entries): where each group element moves the entries of one field."""
        return _pair_permutations(_map_permutations(self.maps), _pixel_permutations(self.side))


@cache
def _orbits(output: _Layout, inputs: _Layout) -> tuple[Tensor, Tensor]:
    """(8, orbits): the entries of each orbit, which are tied; (entries,): each entry's orbit."""
    moved = _pair_permutations(output.permutations(), inputs.permutations())
    first, orbit = torch.unique(moved.min(dim=0).values, return_inverse=True)
    return moved[:, first], orbit


class _Tying:
    """The tied entries of one weight, or of a bias, whose input is `_Layout()`."""

    def __init__(self, output: _Layout, inputs: _Layout) -> None:
        self._output, self._inputs = output, inputs
        self._members, self._orbit = _orbits(replace(output, fields=1), replace(inputs, fields=1))

    def _blocks(self, weight: Tensor) -> Tensor:
        """(entries, blocks): entries first, so that whole rows are copied."""
        sides = (self._output, self._inputs)
        sizes = [size for side in sides for size in (side.fields, side.entries)]
        return weight.reshape(sizes).permute(1, 3, 0, 2).flatten(2).flatten(0, 1)

    def _from_orbits(self, values: Tensor, like: Tensor) -> Tensor:
        blocks = values.index_select(0, self._orbit.to(values.device))
        fields = self._output.fields, self._inputs.fields
        return blocks.view(self._output.entries, -1, *fields).permute(2, 0, 3, 1).reshape_as(like)

    def tie(self, weight: Tensor) -> Tensor:
        """A weight in which every entry equals the first of its orbit."""
        return self._from_orbits(self._blocks(weight)[self._members[0]], weight)

    def average(self, gradient: Tensor) -> Tensor:
        members = self._members.to(gradient.device)
        entries = self._blocks(gradient).index_select(0, members.flatten())
        return self._from_orbits(entries.view(*members.shape, -1).mean(0), gradient)


def _layout(channels: int, side: int) -> _Layout:
    maps = 1 if channels == _COLOURS else FIELD
    assert channels % maps == 0, f"{channels} channels are not a multiple of {FIELD}"
    return _Layout(channels // maps, maps, side)


def _tied_parameters(network: nn.Module) -> Iterator[tuple[Tensor, _Tying]]:
    factors = {
        layer: after.upscale_factor
        for parent in network.modules()
        for layer, after in pairwise(parent.children())
        if isinstance(after, nn.PixelShuffle)
    }
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            factor = factors.get(layer, 1)
            output = _layout(layer.out_channels // factor**2, factor)
            yield layer.weight, _Tying(output, _layout(layer.in_channels, layer.kernel_size[0]))
            if layer.bias is not None:
                yield layer.bias, _Tying(output, _Layout())


@torch.no_grad()
def _check_tied(network: nn.Module, _keys: object) -> None:
    """A hook after loading; allows for the rounding errors of training."""
    for parameter, tying in _tied_parameters(network):
        if (parameter - tying.tie(parameter)).norm() > _TOLERANCE * parameter.norm():
            raise RuntimeError("the weights are not tied for flips and turns (equivariance: p4m)")


@torch.no_grad()
def make_equivariant(network: nn.Module) -> None:
    """Ties a network's weights, now and during training; a copy of the network trains without ties.

    Convolutions have odd kernels, stride 1 and three colours or multiples of eight feature maps;
    other layers treat all maps and pixels alike (no batch norm). Loading weights that are not tied
    raises RuntimeError, like loading those of another shape.
    """
    for parameter, tying in _tied_parameters(network):
        parameter.copy_(tying.tie(parameter))
        parameter.register_hook(tying.average)  # type: ignore[no-untyped-call]  # torch's is untyped
    network.register_load_state_dict_post_hook(_check_tied)  # type: ignore[no-untyped-call]  # torch's is untyped
