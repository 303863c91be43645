"""Tracing a generator with `torch.export` for every image height and width."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.fx.experimental import _config


def min_input_size(network: nn.Module) -> int:
    """The smallest LR height and width of a traced network: one pixel more than a window."""
    multiple = network.multiple
    assert isinstance(multiple, int), f"{type(network).__name__}'s multiple is an int"
    return multiple + 1


def example_lr(network: nn.Module) -> Tensor:
    """LR to trace with, (1, 3, H, W): H and W differ and are no multiples of a window."""
    least = min_input_size(network)
    return torch.zeros(1, 3, 2 * least + 11, 2 * least + 19)


@contextmanager
def dynamic_sizes() -> Iterator[None]:
    """PyTorch does not specialise a graph to the memory layout of the example inside."""
    patch = _config.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]  # made at run time
    with patch, warnings.catch_warnings(action="ignore"):
        yield


def remove_paths(program: ExportedProgram) -> None:
    """Removes the folders of this machine from an exported program."""
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
