"""pt2 and ONNX, both written from one `torch.export` graph with symbolic height and width.

The graph maps LR, float32 RGB (1, 3, H, W) in [0, 1], to SR, not clamped.
"""

import io
import logging
import re
import warnings
from collections.abc import Mapping
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


def _name_axes(model: Any) -> None:  # noqa: ANN401 - an onnx.ModelProto
    """Calls the symbolic sides of the input, and what follows from them, height and width."""
    sides = [axis.dim_param for axis in model.graph.input[0].type.tensor_type.shape.dim[2:]]
    names = dict(zip(sides, ("height", "width"), strict=True))
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_param = re.sub(
                    r"\w+", lambda word: names.get(word[0], word[0]), axis.dim_param
                )


def export_onnx(program: ExportedProgram, metadata: Mapping[str, str] | None = None) -> bytes:
    """The program as an ONNX model with the input `lr` and the output `sr`, and `metadata`.

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
    _name_axes(model)
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=value)
    content: bytes = model.SerializeToString()
    return content
