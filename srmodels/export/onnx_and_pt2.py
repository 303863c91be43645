"""pt2 and ONNX, both written from one `torch.export` graph with symbolic height and width.

The graph maps LR, float32 RGB (1, 3, H, W) in [0, 1], to SR, not clamped.
"""

import io
import logging
import warnings
from typing import Any

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from srmodels.errors import ConfigError
from srmodels.models._dynamic_sizes import (
    dynamic_sizes,
    example_lr,
    min_input_size,
    remove_paths,
)

__all__ = ["export_onnx", "export_program", "export_pt2"]

_OPSET = 18  # the first whose Resize has what "bicubic" needs
_MAX_SIDE = 1 << 16  # LR pixels


def export_program(network: nn.Module) -> ExportedProgram:
    """Traces a generator, in eval mode and on the CPU, with symbolic height and width."""
    least = min_input_size(network)
    sides = {2: Dim("height", min=least, max=_MAX_SIDE), 3: Dim("width", min=least, max=_MAX_SIDE)}
    with dynamic_sizes():
        program = torch.export.export(
            network,
            (example_lr(network),),
            dynamic_shapes=(sides,),
            # conditions that PyTorch cannot prove for all sizes are checked at run time
            prefer_deferred_runtime_asserts_over_guards=True,
        )
    remove_paths(program)
    return program


def export_pt2(program: ExportedProgram) -> bytes:
    """The program in the format of `torch.export.load`."""
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.export.save(program, file)
    return file.getvalue()


def export_onnx(program: ExportedProgram) -> bytes:
    """The program as an ONNX model with the input `lr` and the output `sr`.

    Raises:
        ConfigError: onnx or onnxscript (the extra `onnx`) is not installed.
    """
    try:
        from onnxscript import opset18
    except ImportError:
        raise ConfigError(
            "onnx: onnxscript is missing. Run: pip install 'srmodels[onnx]'"
        ) from None

    def remainder(dividend: Any, divisor: Any) -> Any:  # noqa: ANN401 - onnxscript's values
        # PyTorch's own translation rejects a symbolic divisor, which reflection padding has
        return opset18.Mod(dividend, opset18.CastLike(divisor, dividend))

    for logger in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        onnx_program = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            opset_version=_OPSET,
            input_names=["lr"],
            output_names=["sr"],
            custom_translation_table={torch.ops.aten.remainder.Scalar: remainder},
        )
    assert onnx_program is not None, "dynamo=True returns a program"
    model = onnx_program.model_proto
    for graph in (model.graph, *model.functions):
        for node in graph.node:
            del node.metadata_props[:]  # contains folders of this machine
    content: bytes = model.SerializeToString()
    return content
