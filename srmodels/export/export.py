"""Exports a generator and compares each file with the network.

safetensors is this project's format; .pth is for spandrel, which chaiNNer and ComfyUI use; ncnn is
for Upscayl.
"""

import io
import logging
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from srmodels import models, snapshot
from srmodels.atomic import write_bytes
from srmodels.errors import WeightsError
from srmodels.export import ncnn, onnx_and_pt2
from srmodels.inference.weights.open_weights import open_snapshot
from srmodels.inference.weights.public_layout import check_public
from srmodels.models._dynamic_sizes import min_input_size
from srmodels.models._spandrel_network import SpandrelNetwork
from srmodels.pretrained.ncnn_files import write_layers
from srmodels.snapshot import Snapshot

__all__ = ["FORMATS", "ExportFormat", "export", "read_generator", "written"]

log = logging.getLogger(__name__)

ExportFormat = Literal["safetensors", "pth", "onnx", "pt2", "ncnn"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
_READERS = {"pth": "spandrel", "onnx": "onnxruntime", "ncnn": "ncnn"}
_TOLERANCE = 0.5 / 255
_CHECKED_SIZES = ((1, 2), (11, 24), (40, 27))  # LR pixels beyond the smallest input

Upscaler = Callable[[Tensor], Tensor]


def read_generator(weights: Path) -> Snapshot:
    """Reads a generator on the CPU: this project's file, or public weights of its networks.

    Raises:
        WeightsError: The file cannot be read, or holds no generator of this project.
        ConfigError: The file needs spandrel, which is not installed.
    """
    if weights.is_file() and not snapshot.is_ours(weights):
        generator = open_snapshot(weights)
        if generator is None:
            raise WeightsError(
                f"{weights}: only spandrel has this network. Export weights of this project, or a "
                "public RRDBNet or SwinIR."
            )
        return generator
    generator = snapshot.load(weights)
    if not models.is_generator(generator.name):
        raise WeightsError(f"{weights}: not a generator (got {generator.name}). Name a generator.")
    return generator


def _write_pth(generator: Snapshot, path: Path) -> None:
    network = generator.network
    if isinstance(network, SpandrelNetwork):
        network = network.inner
    else:
        check_public(generator.settings, name=generator.name)
    state = network.state_dict()
    file = io.BytesIO()
    torch.save({"params": {key: value.contiguous().clone() for key, value in state.items()}}, file)
    write_bytes(path, file.getvalue())


def written(path: Path, file_format: ExportFormat) -> list[Path]:
    """The files that `export` writes: for ncnn NAME.param and NAME.bin, else the path itself."""
    if file_format != "ncnn":
        return [path]
    return [path.with_suffix(suffix) for suffix in (".param", ".bin")]


def _open_ncnn(param: Path, weights: Path) -> Upscaler:
    from ncnn import Mat, Net

    net = Net()
    for option in ("vulkan_compute", "bf16_storage", "fp16_packed", "fp16_storage"):
        setattr(net.opt, f"use_{option}", False)
    net.load_param(str(param))
    net.load_model(str(weights))

    def upscale(lr: Tensor) -> Tensor:
        planes = lr[0].contiguous().numpy()
        with net.create_extractor() as run:
            run.input(ncnn.INPUT, Mat(planes).clone())  # aligned
            sr = np.array(run.extract(ncnn.OUTPUT)[1])  # a copy: the extractor owns the memory
        return torch.from_numpy(sr)[None]

    return upscale


def _open(path: Path, file_format: ExportFormat) -> Upscaler:
    """Opens an exported file with the program that it is for."""
    if file_format == "safetensors":
        return snapshot.load(path).network
    if file_format == "pt2":
        return torch.export.load(path).module()
    if file_format == "ncnn":
        return _open_ncnn(*written(path, file_format))
    if file_format == "onnx":
        from onnxruntime import InferenceSession

        session = InferenceSession(path, providers=["CPUExecutionProvider"])
        return lambda lr: torch.from_numpy(session.run(["sr"], {"lr": lr.numpy()})[0])
    import spandrel

    with warnings.catch_warnings(action="ignore"):  # torch.meshgrid in spandrel's SwinIR
        descriptor = spandrel.ModelLoader().load_from_file(path)
    assert isinstance(descriptor, spandrel.ImageModelDescriptor), "a generator maps pictures"
    return SpandrelNetwork(descriptor)


def _max_difference(exported: Upscaler, network: nn.Module) -> float:
    """The largest difference of the outputs for random LR of several sizes."""
    least = min_input_size(network)
    random = torch.Generator().manual_seed(0)
    differences = []
    for height, width in _CHECKED_SIZES:
        lr = torch.rand(1, 3, least + height, least + width, generator=random)
        with torch.inference_mode():
            sr, expected = exported(lr), network(lr)
        assert sr.shape == expected.shape, f"{tuple(sr.shape)}, not {tuple(expected.shape)}"
        differences.append((sr - expected).abs().max())
    return float(torch.stack(differences).max())  # unlike Python's max, keeps NaN


def export(generator: Snapshot, path: Path, *, file_format: ExportFormat) -> float | None:
    """Writes a generator, on the CPU and in eval mode, and compares the file with the network.

    Returns:
        The largest difference of the outputs at three sizes, in [0, 1]; None if the program that
        reads the format is not installed.

    Raises:
        ConfigError: The format does not support the network, or an extra is missing.
        WeightsError: The file gives other outputs; it is deleted.
    """
    network = generator.network
    if file_format == "safetensors":
        snapshot.save(path, network, name=generator.name, settings=generator.settings)
    elif file_format == "pth":
        _write_pth(generator, path)
    elif file_format == "ncnn":
        contents = write_layers(ncnn.to_layers(network, name=generator.name))
        for file, content in zip(written(path, file_format), contents, strict=True):
            write_bytes(file, content)
    else:
        program = onnx_and_pt2.export_program(network)
        if file_format == "onnx":
            facts = {"network": generator.name, "scale": str(network.scale), "range": "RGB, 0 to 1"}
            write_bytes(path, onnx_and_pt2.export_onnx(program, facts))
        else:
            write_bytes(path, onnx_and_pt2.export_pt2(program))
    reader = _READERS.get(file_format, "torch")
    if find_spec(reader) is None:
        log.warning("%s: not checked, because %s is not installed", path, reader)
        return None
    difference = _max_difference(_open(path, file_format), network)
    if not difference <= _TOLERANCE:  # NaN, too
        for file in written(path, file_format):
            file.unlink()
        raise WeightsError(
            f"{path}: its output differs from the network's (got {255 * difference:.2f} of 255). "
            "The file is deleted; report this bug."
        )
    log.info("%s: written; largest difference from the network %.1g of 255", path, 255 * difference)
    return difference
