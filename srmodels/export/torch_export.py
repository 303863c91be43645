"""A network as a program for other runtimes: torch.export's pt2 and ONNX, for any height and width.

Both are written from one graph, traced once with symbolic sizes, so that they cannot differ in what
they compute. What is inside is the network alone: LR float32 RGB (1, 3, H, W) in [0, 1] to SR, not
clamped; tiles, pictures and files are the runtime's.
"""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from srmodels.errors import ConfigError

__all__ = ["INPUT", "OUTPUT", "export_onnx", "export_program", "export_pt2", "min_input_size"]

INPUT, OUTPUT = "lr", "sr"
_OPSET = 18  # the first with all of Resize, which "bicubic" needs
_MOST = 1 << 16  # LR pixels a side


def min_input_size(network: nn.Module) -> int:
    """The smallest LR height and width that a traced network takes.

    Two windows, for one alone would be another graph; else two pixels, for the same reason.
    """
    multiple = network.multiple
    assert isinstance(multiple, int), f"{type(network).__name__}'s multiple is no number"
    return multiple + 1


@contextmanager
def _sizes_stay_symbols() -> Iterator[None]:
    """Within it, that the traced picture's side is a multiple of a window is taken for chance.

    Without it a graph demands that all sizes be in memory as the traced one's were.
    """
    from torch.fx.experimental import _config

    patched = _config.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]  # made late
    with patched, warnings.catch_warnings(action="ignore"):
        yield


def export_program(network: nn.Module) -> ExportedProgram:
    """The graph of a network in eval mode, with symbolic height and width.

    Args:
        network: (1, 3, H, W) to (1, 3, scale H, scale W), on the CPU.
    """
    least = min_input_size(network)
    sides = {2: Dim("height", min=least, max=_MOST), 3: Dim("width", min=least, max=_MOST)}
    lr = torch.rand(1, 3, 2 * least + 12, 2 * least + 20)  # unlike each other and no multiples
    with _sizes_stay_symbols():
        program = torch.export.export(
            network,
            (lr,),
            dynamic_shapes=(sides,),
            # what it cannot prove of all sizes, such as that cutting off makes no larger, it asks
            prefer_deferred_runtime_asserts_over_guards=True,
        )
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names this computer's folders
    return program


def export_pt2(program: ExportedProgram) -> bytes:
    """The program as `torch.export.load` reads it."""
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.export.save(program, file)
    return file.getvalue()


def export_onnx(program: ExportedProgram) -> bytes:
    """The program as an ONNX model with the input `lr` and the output `sr`.

    Raises:
        ConfigError: onnx and onnxscript (the extra `onnx`) are not installed.
    """
    try:
        from onnxscript import opset18
    except ImportError:
        raise ConfigError(
            "onnx: onnxscript is not installed; pip install 'srmodels[onnx]'"
        ) from None

    def remainder(dividend: Any, divisor: Any) -> Any:  # noqa: ANN401 - onnxscript's values
        # the exporter's own insists on a divisor that is no symbol; mirrored edges have one
        return opset18.Mod(dividend, opset18.CastLike(divisor, dividend))

    for talkative in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        made = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            opset_version=_OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            custom_translation_table={torch.ops.aten.remainder.Scalar: remainder},
        )
    assert made is not None, "with dynamo=True it returns a program"
    model = made.model_proto
    for node in [*model.graph.node, *(each for f in model.functions for each in f.node)]:
        del node.metadata_props[:]  # names this computer's folders
    content: bytes = model.SerializeToString()
    return content
