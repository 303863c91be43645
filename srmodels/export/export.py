"""A generator in the forms that other programs read, each checked against the network.

safetensors is ours, with the spec in it; .pth is in the public layout, for chaiNNer, ComfyUI and
all that rests on spandrel; ONNX and pt2 are programs for other runtimes.
"""

import io
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from srmodels import models, snapshot
from srmodels.atomic import write_bytes
from srmodels.errors import WeightsError
from srmodels.export import torch_export
from srmodels.inference.weights.open import open_snapshot
from srmodels.inference.weights.public_layout import check_public
from srmodels.snapshot import Snapshot

__all__ = ["FORMS", "ExportFormat", "export", "read"]

log = logging.getLogger(__name__)

ExportFormat = Literal["safetensors", "pth", "onnx", "pt2"]
FORMS: tuple[ExportFormat, ...] = get_args(ExportFormat)
_CLOSE = 0.5 / 255
_BEYOND = ((1, 2), (11, 24), (40, 27))  # LR pixels that the checked sizes have above the least

Run = Callable[[Tensor], Tensor]


def read(weights: Path) -> Snapshot:
    """A generator to export, on the CPU: ours, or public weights of a network in our code.

    Raises:
        WeightsError: The file cannot be read, or holds no generator of our code.
        ConfigError: It is not ours, and spandrel is not installed.
    """
    if weights.is_file() and not snapshot.is_ours(weights):
        known = open_snapshot(weights)
        if known is None:
            raise WeightsError(
                f"{weights}: is of a network that only spandrel has; "
                "ours, or a public RRDBNet or SwinIR, can be exported"
            )
        return known
    found = snapshot.load(weights)
    if found.name not in models.names("generator"):
        raise WeightsError(
            f"{weights}: holds a {found.name}, which enlarges nothing; export a generator"
        )
    return found


def _pth(of: Snapshot) -> bytes:
    check_public(of.settings, name=of.name)
    file = io.BytesIO()
    tensors = {key: each.contiguous().clone() for key, each in of.network.state_dict().items()}
    torch.save({"params": tensors}, file)
    return file.getvalue()


def _run_pth(path: Path) -> Run | None:
    """As spandrel runs it, since that is who has to understand it."""
    try:
        import spandrel
    except ImportError:
        return None
    with warnings.catch_warnings(action="ignore"):  # its SwinIR's, of torch.meshgrid
        inner: nn.Module = spandrel.ModelLoader().load_from_file(path).model
    return inner.eval()


def _run_onnx(path: Path) -> Run | None:
    try:
        import onnxruntime
    except ImportError:
        return None
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda lr: torch.from_numpy(
        session.run([torch_export.OUTPUT], {torch_export.INPUT: lr.numpy()})[0]
    )


def _run_pt2(path: Path) -> Run:
    return torch.export.load(path).module()


def _difference(run: Run, network: nn.Module) -> float:
    """The largest difference between two networks' pictures, at three sizes."""
    least = torch_export.min_input_size(network)
    random = torch.Generator().manual_seed(0)
    found = 0.0
    for height, width in _BEYOND:
        lr = torch.rand(1, 3, least + height, least + width, generator=random)
        with torch.inference_mode():
            sr, wanted = run(lr), network(lr)
        assert sr.shape == wanted.shape, f"{tuple(sr.shape)} instead of {tuple(wanted.shape)}"
        found = max(found, float((sr - wanted).abs().max()))
    return found


def export(of: Snapshot, path: Path, *, form: ExportFormat) -> float | None:
    """Writes one form of a generator and compares what was written with the network.

    Args:
        of: The generator, on the CPU, in eval mode.
        path: The file to write; replaced whole or not at all.
        form: Which form.

    Returns:
        The largest difference between the pictures of both, of [0, 1], at three sizes; None where
        the program that reads the form (spandrel, onnxruntime) is not installed.

    Raises:
        ConfigError: The network has no such form, or an extra is missing.
        WeightsError: What was written gives other pictures; the file is gone again.
        OSError: The file cannot be written.
    """
    if form == "safetensors":
        snapshot.save(path, of.network, name=of.name, settings=of.settings)
        run: Run | None = snapshot.load(path).network
    elif form == "pth":
        write_bytes(path, _pth(of))
        run = _run_pth(path)
    elif form == "onnx":
        write_bytes(path, torch_export.export_onnx(torch_export.export_program(of.network)))
        run = _run_onnx(path)
    else:
        write_bytes(path, torch_export.export_pt2(torch_export.export_program(of.network)))
        run = _run_pt2(path)
    if run is None:
        log.warning("%s: not checked, for what reads it is not installed here", path)
        return None
    difference = _difference(run, of.network)
    if not difference <= _CLOSE:
        path.unlink()
        raise WeightsError(
            f"{path}: gives other pictures than the network (found {255 * difference:.2f} of 255); "
            "this is a fault of the export, and the file is removed"
        )
    log.info("%s: written; its pictures differ by at most %.1g of 255", path, 255 * difference)
    return difference
