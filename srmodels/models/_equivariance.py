"""Convolutions that commute with the flips and turns of a picture.

Taco Cohen, Max Welling. Group Equivariant Convolutional Networks. ICML 2016.
https://arxiv.org/abs/1602.07576

Here the group is p4m: SR of a turned or flipped LR is the turned or flipped SR. A plain network
learns that from crops turned at random, and never fully: its mean over the eight (self-ensemble) is
better than it is. SR costs what a plain network's does, a training step somewhat more.
Feature maps come in fields of eight, one map for each element of the group; a layer's weights
follow from those of one map of each field (section 6.2 of the paper), so that every crop teaches a
layer as its eight versions would together.

The weights are kept written out, as those of ordinary convolutions, which they are to everything
that uses them: they begin tied, and their gradients are averaged over those that are tied, so that
Adam and Muon move them alike. That is exact but for rounding.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["FIELD", "make_equivariant"]

FIELD = 8
"""Feature maps of a field: the flips and turns of a square."""
_COLOURS = 3
_ROUNDING = 1e-2  # of a layer's norm; 7e-5 after 30,000 steps
_Matrix = tuple[tuple[int, int], tuple[int, int]]
# The group, as matrices that act on (row, column) from the middle; the identity is the first.
_GROUP: tuple[_Matrix, ...] = (
    *(((a, 0), (0, b)) for a in (1, -1) for b in (1, -1)),
    *(((0, a), (b, 0)) for a in (1, -1) for b in (1, -1)),
)


def _product(first: _Matrix, second: _Matrix) -> int:
    """Which element it is to do `second`, then `first`."""
    product = torch.tensor(first) @ torch.tensor(second)
    return [torch.equal(product, torch.tensor(each)) for each in _GROUP].index(True)


def _moved_pixels(side: int) -> Tensor:
    """(8, side^2): where each element moves each pixel of a square."""
    places = torch.cartesian_prod(torch.arange(side), torch.arange(side))
    centred = 2 * places - (side - 1)
    moved = torch.stack([centred @ torch.tensor(each).T for each in _GROUP])
    return ((moved + side - 1) // 2 * torch.tensor([side, 1])).sum(-1)


def _moved_maps(maps: int) -> Tensor:
    """(8, maps): where each element moves the maps of a field, or (maps = 1) a colour."""
    if maps == 1:
        return torch.zeros(FIELD, 1, dtype=torch.long)
    return torch.tensor([[_product(each, other) for other in _GROUP] for each in _GROUP])


def _moved_pairs(first: Tensor, second: Tensor) -> Tensor:
    """(8, A) and (8, B): where each element moves the pairs of both; (8, A B)."""
    return (first[:, :, None] * second.shape[1] + second[:, None, :]).flatten(1)


@dataclass(frozen=True)
class _End:
    """What a layer takes, or what it makes.

    Attributes:
        fields: How many, or how many colours.
        maps: Of a field; 1 of a colour.
        side: Of the square of pixels that has weights of its own: of the kernel, for what a layer
            takes, and of what the PixelShuffle after it spreads a map over, for what it makes.
    """

    fields: int = 1
    maps: int = 1
    side: int = 1

    def moved(self) -> Tensor:
        """(8, maps side^2): where each element of the group moves the entries of one field."""
        return _moved_pairs(_moved_maps(self.maps), _moved_pixels(self.side))


@cache
def _tied(output: _End, taken: _End) -> tuple[Tensor, Tensor]:
    """Which entries of a block of weights are one: those that some element moves to each other.

    Returns:
        (8, free): the entries that are one; (entries,): which of the free ones each entry is.
    """
    moved = _moved_pairs(output.moved(), taken.moved())
    first, which = torch.unique(moved.min(dim=0).values, return_inverse=True)
    return moved[:, first], which


class _Ties:
    """What is tied in one layer's weight, or in its bias, which takes nothing: `_End()`."""

    def __init__(self, output: _End, taken: _End) -> None:
        self._output, self._taken = output, taken
        self._members, self._which = _tied(replace(output, fields=1), replace(taken, fields=1))

    def _blocks(self, values: Tensor) -> Tensor:
        """(entries, blocks): the entries of a block lie apart, so that whole rows are copied."""
        sizes = [(each.fields, each.maps * each.side**2) for each in (self._output, self._taken)]
        return values.reshape(*sizes[0], *sizes[1]).permute(1, 3, 0, 2).flatten(2).flatten(0, 1)

    def _written_out(self, free: Tensor, like: Tensor) -> Tensor:
        blocks = free.index_select(0, self._which.to(free.device))
        fields = self._output.fields, self._taken.fields
        parts = blocks.view(self._output.maps * self._output.side**2, -1, *fields)
        return parts.permute(2, 0, 3, 1).reshape(like.shape)

    def begun(self, values: Tensor) -> Tensor:
        """Weights that are tied: of those that shall be one, the first is taken for all."""
        return self._written_out(self._blocks(values)[self._members[0]], values)

    def averaged(self, gradient: Tensor) -> Tensor:
        """The gradient of tied weights: the mean over those that are one."""
        members = self._members.to(gradient.device)
        found = self._blocks(gradient).index_select(0, members.flatten())
        return self._written_out(found.view(*members.shape, -1).mean(0), gradient)


def _convolutions(network: nn.Module) -> Iterator[tuple[nn.Conv2d, int]]:
    """All convolutions, each with the factor of the PixelShuffle after it."""
    shuffled = {
        layer: after.upscale_factor
        for parent in network.modules()
        for layer, after in pairwise(parent.children())
        if isinstance(after, nn.PixelShuffle)
    }
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            yield layer, shuffled.get(layer, 1)


def _end(layer: nn.Conv2d, channels: int, side: int) -> _End:
    maps = 1 if channels == _COLOURS else FIELD
    assert channels % maps == 0, f"{layer}: {channels} channels are no whole fields"
    return _End(channels // maps, maps, side)


def _tied_in(network: nn.Module) -> Iterator[tuple[Tensor, _Ties]]:
    """All weights and biases of convolutions, each with what is tied in it."""
    for layer, factor in _convolutions(network):
        output = _end(layer, layer.out_channels // factor**2, factor)
        taken = _end(layer, layer.in_channels, layer.kernel_size[0])
        for parameter, given in ((layer.weight, taken), (layer.bias, _End())):
            if parameter is not None:
                yield parameter, _Ties(output, given)


@torch.no_grad()
def _refuse_untied(network: nn.Module, _keys: object) -> None:
    """After loading: weights may be off by what training rounds, not by more."""
    for parameter, tied in _tied_in(network):
        if (parameter - tied.begun(parameter)).norm() > _ROUNDING * parameter.norm():
            raise RuntimeError(
                "they do not commute with flips and turns, as equivariance: p4m says of the network"
            )


@torch.no_grad()
def make_equivariant(network: nn.Module) -> None:
    """Ties the weights of a network, now and while it is trained.

    Loading weights that are not tied is a RuntimeError, as loading those of another shape is. A
    copy of the network is trained as a plain one.

    Args:
        network: Of convolutions with an odd kernel and stride 1 that take and make either colours,
            three of them, or a multiple of eight feature maps; what else it has treats all maps and
            pixels alike. None is normalised by itself, as in batch norm.
    """
    for parameter, tied in _tied_in(network):
        parameter.copy_(tied.begun(parameter))
        parameter.register_hook(tied.averaged)  # type: ignore[no-untyped-call]  # torch's is untyped
    network.register_load_state_dict_post_hook(_refuse_untied)  # type: ignore[no-untyped-call]  # torch's is untyped
