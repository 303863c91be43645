"""Other people's weights: whatever spandrel recognises becomes a generator like our own.

spandrel: https://github.com/chaiNNer-org/spandrel. What is inside the generator is a network as our
own are, with `scale`, `padding` and `multiple`, so that everything that takes a Generator takes
these too. Public RRDBNets and SwinIRs run in our own code.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from srmodels import models, snapshot
from srmodels.errors import ConfigError, WeightsError
from srmodels.inference.generators.generator import Generator
from srmodels.inference.tiling.device import Precision
from srmodels.inference.weights.interpolate import interpolate
from srmodels.inference.weights.public_layout import snapshot_of
from srmodels.inference.weights.spandrel_network import ForeignNetwork
from srmodels.models._state import read_state
from srmodels.snapshot import Snapshot

__all__ = ["generator_of", "load", "load_for_evaluation", "open_snapshot", "open_weights"]

_KINDS = (".safetensors", ".pth", ".pt", ".ckpt")


def _recognised(path: Path, state: dict[str, Tensor]) -> "ImageModelDescriptor[Any]":
    """What spandrel makes of a state dict; it changes the dictionary it is given."""
    try:
        import spandrel
    except ImportError:
        raise ConfigError(
            f"{path}: is none of ours, and spandrel, which knows others' weights, is not "
            "installed; pip install 'srmodels[community]'"
        ) from None
    try:
        with warnings.catch_warnings(action="ignore"):  # its SwinIR's, of torch.meshgrid
            found = spandrel.ModelLoader().load_from_state_dict(state)
    except Exception as error:  # a half-right state dict makes spandrel's networks raise anything
        raise WeightsError(
            f"{path}: is of no network that spandrel knows ({type(error).__name__}); a generator "
            "of ours or of a network on spandrel's list is right"
        ) from error
    if not isinstance(found, spandrel.ImageModelDescriptor) or found.purpose != "SR":
        raise WeightsError(
            f"{path}: holds {found.architecture.name} for {found.purpose}, at scale {found.scale}; "
            "one that enlarges whole pictures is right"
        )
    if (found.input_channels, found.output_channels) not in ((3, 3), (1, 1)):
        raise WeightsError(
            f"{path}: holds {found.architecture.name} of {found.input_channels} channels to "
            f"{found.output_channels}; one for RGB or for grey pictures is right"
        )
    return found


def _opened(path: Path) -> "tuple[ImageModelDescriptor[Any], dict[str, Tensor]]":
    if path.is_file() and path.suffix.lower() not in _KINDS:
        raise WeightsError(
            f"{path}: is no kind of weights (found {path.suffix!r}); one of {', '.join(_KINDS)} "
            "is right"
        )
    state = read_state(path, where="weights", right="a file of weights")
    for prefix in ("module.", "netG."):  # of DataParallel, of BasicSR
        if state and all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    found = _recognised(path, dict(state))
    found.eval()
    return found, state


def _allowed(precision: Precision, found: "ImageModelDescriptor[Any]") -> Precision:
    """The precision wanted, if the network can compute in it; spandrel knows."""
    able = {"bf16": found.supports_bfloat16, "fp16": found.supports_half}
    if precision == "auto" and not able["bf16"]:
        return "fp32"
    if not able.get(precision, True):
        raise ConfigError(
            f"precision: {found.architecture.name} cannot compute in {precision}; fp32 is right"
        )
    return precision


def open_snapshot(path: Path) -> Snapshot | None:
    """Loads public weights as a network in our code, on the CPU.

    Args:
        path: A .safetensors, .pth, .pt or .ckpt file, not ours.

    Returns:
        The snapshot, or None where our code has no such network.

    Raises:
        ConfigError: spandrel (the extra `community`) is not installed.
        WeightsError: As `open_weights`.
    """
    found, state = _opened(path)
    return snapshot_of(found.model, state)


def open_weights(
    path: Path,
    *,
    device: str | torch.device = "cpu",
    tile: int = 256,
    precision: Precision = "fp32",
) -> Generator:
    """Loads a generator from any file of weights: ours, or one that spandrel recognises.

    A safetensors file with our spec in it is ours; everything else is spandrel's to recognise.

    Args:
        path: A .safetensors, .pth, .pt or .ckpt file. Nothing but tensors is unpickled.
        device: Where it computes.
        tile: Side of the tiles in LR pixels.
        precision: As `upscale.rows` has it.

    Raises:
        ConfigError: The file is not ours, and spandrel (the extra `community`) is not installed;
            or its network cannot compute in this precision.
        WeightsError: The file cannot be read, needs code to be read, is of no known network, or of
            one that enlarges no RGB or grey pictures.
    """
    if snapshot.is_ours(path) or not path.exists():  # whose error says where weights come from
        return load(path, device=device, tile=tile, precision=precision)
    found, state = _opened(path)
    known = snapshot_of(found.model, state)
    if known is not None:
        known.network.to(device)
        return generator_of(known, tile, precision)
    return Generator(
        network=ForeignNetwork(found).to(device),
        name=found.architecture.name,
        scale=found.scale,
        tile=tile,
        precision=_allowed(precision, found),
    )


def _read(path: Path, device: str | torch.device) -> Snapshot:
    read = snapshot.load(path, device=device)
    if read.name not in models.names("generator"):
        raise WeightsError(f"{path}: holds a {read.name}, which enlarges nothing; a generator does")
    return read


def generator_of(read: Snapshot, tile: int, precision: Precision) -> Generator:
    """A snapshot's network as a generator, its memory in the order that is fastest."""
    scale = read.network.scale
    assert isinstance(scale, int), f"{read.name} has a scale"
    if getattr(read.network, "channels_last", True):
        read.network.to(memory_format=torch.channels_last)  # twice as fast on a CPU
    return Generator(
        network=read.network, name=read.name, scale=scale, tile=tile, precision=precision
    )


def load(
    path: Path,
    *,
    device: str | torch.device = "cpu",
    tile: int = 256,
    precision: Precision = "fp32",
) -> Generator:
    """Loads a generator that the pipeline wrote.

    Args:
        path: A safetensors file of ours.
        device: Where it computes.
        tile: Side of the tiles in LR pixels.
        precision: "bf16" computes in bfloat16 where that is deemed safe.

    Raises:
        WeightsError: The file cannot be used, or holds a network that enlarges nothing.
    """
    return generator_of(_read(path, device), tile, precision)


def load_for_evaluation(
    final: Path,
    *,
    pretrained: Path | None = None,
    alpha: float | None = None,
    device: str | torch.device = "cpu",
    tile: int = 256,
    precision: Precision = "fp32",
) -> dict[str, Generator]:
    """Loads what an evaluation compares, by the names of its rows; the final generator is the last.

    Args:
        final: A safetensors file of ours: "generator".
        pretrained: Another: "pretrained". None leaves that row out.
        alpha: The final generator's share in a mixture of both weights: "interpolated" (Wang et
            al., "ESRGAN", 2018, section 3.4). None leaves that row out.
        device: Where they compute.
        tile: Side of the tiles in LR pixels.
        precision: "bf16" computes in bfloat16 where that is deemed safe.

    Raises:
        ConfigError: An alpha is given, but no pretrained weights.
        WeightsError: A file cannot be used, or the two networks differ.
    """
    if alpha is not None and pretrained is None:
        raise ConfigError(
            f"alpha: mixes two files of weights, but only one is given (found {alpha:g}); name the "
            "pretrained one as well"
        )
    rows = {"generator": _read(final, device)}
    if pretrained is not None:
        rows = {"pretrained": _read(pretrained, device), **rows}
        if alpha is not None:
            mixed = interpolate(rows["pretrained"], rows["generator"], alpha)
            rows = {"pretrained": rows["pretrained"], "interpolated": mixed, **rows}
    return {name: generator_of(read, tile, precision) for name, read in rows.items()}


if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor
