"""Opens weights as generators: snapshots of this project, ncnn's, and what spandrel recognises.

spandrel: https://github.com/chaiNNer-org/spandrel. Public weights of the networks here run in our
own code, other networks in spandrel's.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from srmodels import models, snapshot
from srmodels.errors import ConfigError, WeightsError
from srmodels.evaluation.protocol import STRENGTH
from srmodels.inference.generators.generator import Generator
from srmodels.inference.tiling.device import Precision
from srmodels.inference.weights.interpolate import interpolate
from srmodels.inference.weights.ncnn_network import SUFFIXES as NCNN_SUFFIXES
from srmodels.inference.weights.ncnn_network import open_ncnn
from srmodels.inference.weights.public_layout import convert_to_snapshot
from srmodels.models._spandrel_network import SpandrelNetwork
from srmodels.models._state import read_state, without_wrappers
from srmodels.snapshot import Snapshot

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

__all__ = ["load_for_evaluation", "open_mixed", "open_snapshot", "open_weights"]

_SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt")


def _load_snapshot(path: Path) -> Snapshot:
    loaded = snapshot.load(path)
    if not models.is_generator(loaded.name):
        raise WeightsError(f"{path}: holds a {loaded.name}, which enlarges nothing. Use another.")
    return loaded


def _to_generator(
    source: Snapshot, device: str | torch.device, tile: int, precision: Precision
) -> Generator:
    network, scale = source.network.to(device), source.network.scale
    assert isinstance(scale, int), f"{source.name} has no scale"
    if getattr(network, "channels_last", True):
        network.to(memory_format=torch.channels_last)  # twice as fast on a CPU
    return Generator(network=network, name=source.name, scale=scale, tile=tile, precision=precision)


def load_for_evaluation(
    final: Path,
    *,
    pretrained: Path | None = None,
    strengths: Sequence[float] = (),
    device: str | torch.device = "cpu",
    tile: int = 256,
    precision: Precision = "fp32",
) -> dict[str, Generator]:
    """Loads the generators that an evaluation compares, by row name, the final one last.

    Rows are "pretrained", if there is such a file; "strength_S" for each strength S, the final
    generator's share in a mixture (ESRGAN, section 3.4); and "generator".

    Raises:
        ConfigError: There are strengths, but no pretrained file.
        WeightsError: A file is no snapshot of a generator, or the two networks differ.
    """
    if strengths and pretrained is None:
        raise ConfigError(
            f"strength: mixes two files of weights, but only one is given (got {strengths[0]:g}). "
            "Name the pretrained file as well."
        )
    rows, generator = dict[str, Snapshot](), _load_snapshot(final)
    if pretrained is not None:
        rows["pretrained"] = _load_snapshot(pretrained)
        for strength in strengths:
            mixed = interpolate(rows["pretrained"], generator, strength)
            rows[f"{STRENGTH}{strength:g}"] = mixed
    rows["generator"] = generator
    return {name: _to_generator(row, device, tile, precision) for name, row in rows.items()}


def open_mixed(
    final: Path,
    pretrained: Path,
    strength: float,
    *,
    device: str | torch.device = "cpu",
    tile: int = 256,
    precision: Precision = "fp32",
) -> Generator:
    """Loads a mixture of two snapshots, `strength` of the final one's weights (0 to 1)."""
    mixed = interpolate(_load_snapshot(pretrained), _load_snapshot(final), strength)
    return _to_generator(mixed, device, tile, precision)


def _recognise(path: Path, state: dict[str, Tensor]) -> "ImageModelDescriptor[Any]":
    """Spandrel's network for a state dict."""
    try:
        import spandrel
    except ImportError:
        raise ConfigError(
            f"{path}: is no snapshot of this project, and spandrel, which reads other weights, is "
            "not installed. Run: pip install 'srmodels[community]'"
        ) from None
    problem: Exception | None = None
    for candidate in without_wrappers(state):
        try:
            with warnings.catch_warnings(action="ignore"):  # torch.meshgrid's, from SwinIR
                network = spandrel.ModelLoader().load_from_state_dict(dict(candidate))
            break
        except Exception as error:  # noqa: BLE001 - spandrel's networks raise anything on a wrong state dict
            problem = problem or error
    else:
        raise WeightsError(
            f"{path}: is of no network that spandrel knows (got {type(problem).__name__}). "
            "Use a generator of this project or a network on spandrel's list."
        ) from problem
    channels = (network.input_channels, network.output_channels)
    enlarges = isinstance(network, spandrel.ImageModelDescriptor) and network.purpose == "SR"
    if not enlarges or channels not in ((3, 3), (1, 1)):
        raise WeightsError(
            f"{path}: holds {network.architecture.name}, which does not enlarge RGB or grey "
            f"pictures (got {network.purpose}, scale {network.scale}, {channels[0]} to "
            f"{channels[1]} channels). Use another network."
        )
    return network


def _open_public(path: Path) -> "ImageModelDescriptor[Any]":
    """Spandrel's network for a file, in eval mode."""
    if path.is_file() and path.suffix.lower() not in _SUFFIXES:
        raise WeightsError(
            f"{path}: is no file of weights by its suffix (got {path.suffix!r}). "
            f"Use one of {', '.join((*_SUFFIXES, *NCNN_SUFFIXES))}."
        )
    state = read_state(path, where="weights", expected="a file of weights")
    return _recognise(path, state).eval()


def _is_ncnn(path: Path) -> bool:
    return path.suffix.lower() in NCNN_SUFFIXES


def open_snapshot(path: Path) -> Snapshot | None:
    """Loads public weights as a network of this project on the CPU; None if it has no such network.

    Raises the errors of `open_weights`.
    """
    if _is_ncnn(path):
        return open_ncnn(path)
    return convert_to_snapshot(_open_public(path).model)


def open_weights(
    path: Path,
    *,
    device: str | torch.device = "cpu",
    tile: int = 256,
    precision: Precision = "fp32",
) -> Generator:
    """Loads a generator from a snapshot of this project, ncnn's files or what spandrel recognises.

    The suffix is .safetensors, .pth, .pt or .ckpt, or one of ncnn's .param and .bin. Nothing but
    tensors is unpickled. `tile` and `precision` are those of `upscale_rows`.

    Raises:
        ConfigError: spandrel (the extra `community`) is needed and not installed, or the network
            does not support the precision.
        WeightsError: The file cannot be read without running code, or holds no network that
            enlarges RGB or grey pictures.
    """
    if snapshot.is_ours(path) or not path.exists():  # whose error says how to get weights
        return _to_generator(_load_snapshot(path), device, tile, precision)
    if _is_ncnn(path):
        return _to_generator(open_ncnn(path), device, tile, precision)
    public = _open_public(path)
    ours = convert_to_snapshot(public.model)
    if ours is not None:
        return _to_generator(ours, device, tile, precision)
    name = public.architecture.name
    supported = {"bf16": public.supports_bfloat16, "fp16": public.supports_half}
    if precision == "auto" and not supported["bf16"]:
        precision = "fp32"
    if not supported.get(precision, True):
        raise ConfigError(f"precision: {name} does not support it (got {precision!r}). Use fp32.")
    network = SpandrelNetwork(public).to(device)
    return Generator(network=network, name=name, scale=public.scale, tile=tile, precision=precision)
