"""What users load: one safetensors file with the weights and the spec that rebuilds the network.

A snapshot is no checkpoint: nothing is in it that only training needs. Equal weights give equal
bytes, so the whole spec stands in one metadata key (safetensors writes several in any order).
"""

import copy
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from srmodels import models
from srmodels.atomic import write_bytes
from srmodels.config import check
from srmodels.errors import ConfigError, WeightsError
from srmodels.models._state import misfits, read_state

__all__ = ["FORMAT", "Snapshot", "is_ours", "load", "save", "warm_start"]

FORMAT = 1

_KEY = "srmodels"

_SHOWN = 5  # keys in an error about weights of someone else's


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A network as it was saved.

    Attributes:
        network: In eval mode, on the device asked for, channels_last.
        name: The network's name, which is its module's.
        settings: The instance of that module's Settings it was built from.
    """

    network: nn.Module
    name: str
    settings: object


def save(path: Path, network: nn.Module, *, name: str, settings: object) -> None:
    """Saves a network.

    Args:
        path: The file to write; replaced whole or not at all.
        network: Its parameters and buffers are saved as they are.
        name: The network's name, which is its module's.
        settings: The instance of that module's Settings it was built from.

    Raises:
        OSError: The file cannot be written; what was there before still is.
    """
    assert dataclasses.is_dataclass(settings), "settings are the network's own dataclass"
    assert not isinstance(settings, type), "settings are an instance"
    spec = {"format": FORMAT, "network": name, "settings": dataclasses.asdict(settings)}
    tensors = {
        key: value.detach().cpu().contiguous().clone()  # safetensors refuses shared memory
        for key, value in network.state_dict().items()
    }
    write_bytes(path, to_bytes(tensors, metadata={_KEY: json.dumps(spec, sort_keys=True)}))


def _read(path: Path) -> tuple[Mapping[str, object], dict[str, Tensor]]:
    """The spec, not yet checked, and the tensors."""
    if not path.is_file():
        raise WeightsError(
            f"{path}: no such file; `dvc repro` writes weights/generator.safetensors"
        )
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path}: is no whole safetensors file ({error}); a file written by this project is"
        ) from None
    if text is None:
        raise WeightsError(
            f"{path}: holds weights but no spec of ours (metadata key {_KEY!r}); "
            "a generator.safetensors written by this project is right"
        )
    try:
        spec = json.loads(text)
    except ValueError:
        spec = None
    if not isinstance(spec, dict) or spec.get("format") != FORMAT:
        found = spec.get("format") if isinstance(spec, dict) else text[:40]
        raise WeightsError(f"{path}: is of format {found!r}; this version reads format {FORMAT}")
    return spec, tensors


def _rebuilt(path: Path, spec: Mapping[str, object]) -> Snapshot:
    name = str(spec.get("network"))
    try:
        kind: type[object] = models.settings_class(name)
        settings = check(spec.get("settings"), kind, "settings")
    except ConfigError as error:
        raise WeightsError(f"{path}: {error}") from None
    return Snapshot(network=models.build(name, settings), name=name, settings=settings)


def load(path: Path, *, device: str | torch.device = "cpu") -> Snapshot:
    """Loads what `save` wrote.

    Args:
        path: The safetensors file.
        device: Where the network goes.

    Raises:
        WeightsError: The file is missing, is none of ours, or does not fit the network it names.
    """
    spec, tensors = _read(path)
    snapshot = _rebuilt(path, spec)
    problems = misfits(snapshot.network.state_dict(), tensors)
    if problems:
        raise WeightsError(
            f"{path}: the weights do not fit {snapshot.name} ({'; '.join(problems)}); "
            "the code that wrote them was another"
        )
    try:
        snapshot.network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f"{path}: the weights do not fit {snapshot.name} ({error})") from None
    # channels_last: on a CPU, SRResNet's 9x9 layers are several times faster this way
    snapshot.network.eval().to(device).to(memory_format=torch.channels_last)
    return snapshot


def _text(path: Path) -> str | None:
    """The spec as it stands in a safetensors file; None where there is none of ours."""
    with safe_open(path, framework="pt") as file:
        text: str | None = (file.metadata() or {}).get(_KEY)
    return text


def is_ours(path: Path) -> bool:
    """Whether a file is a safetensors file with a spec of ours, whether or not it can be used."""
    try:
        return _text(path) is not None
    except (SafetensorError, OSError):
        return False


def _origin(path: Path) -> str:
    """What a file of ours says of its network, as a phrase for an error."""
    if path.suffix != ".safetensors":
        return ""
    try:
        spec = json.loads(_text(path) or "{}")
        return f"; the file is of {spec['network']} with {spec['settings']}"
    except (ValueError, TypeError, KeyError):
        return ""  # not ours, which is no fault here


def warm_start(network: nn.Module, weights: Path, *, where: str = "warm_start") -> None:
    """Gives a network the weights of another run, all of them or, where they do not fit, none.

    Args:
        network: Of the architecture that the weights are of.
        weights: A snapshot of ours, or a state dict in a .safetensors or .pth file; the names that
            a network's public weights have are understood.
        where: The key that named the file, for the errors.

    Raises:
        WeightsError: The file is missing, cannot be read, or holds no state dict.
        ConfigError: The weights do not fit; names the keys and what the file says of itself.
    """
    state = read_state(weights, where=where, right="a generator.safetensors")
    named: dict[str, Tensor] = {}
    trial = copy.deepcopy(network)
    # the last hook before the loading: sees the keys after the network has renamed them
    trial.register_load_state_dict_pre_hook(  # type: ignore[no-untyped-call]  # torch's is untyped
        lambda _, found, *__: named.update(found)
    )
    try:
        trial.load_state_dict(state)
    except RuntimeError as error:
        problems = misfits(network.state_dict(), named, shown=_SHOWN) or [str(error)]
        raise ConfigError(
            f"{where}: the weights of {weights} do not fit this network ({'; '.join(problems)}"
            f"{_origin(weights)}); weights of the same network and settings are right"
        ) from None
    network.load_state_dict(trial.state_dict())
