"""Snapshots: one safetensors file with a network's weights and the settings that rebuild it.

A snapshot holds nothing that only training needs. Equal weights give equal bytes, so all settings
are in one metadata key (safetensors writes several in any order).
"""

import copy
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from srmodels import models
from srmodels.atomic import write_bytes
from srmodels.config import check
from srmodels.errors import ConfigError, WeightsError
from srmodels.machine import repository
from srmodels.models._state import misfits, read_state, without_wrappers

FORMAT = 1

_KEY = "srmodels"
_SHOWN = 5  # keys in an error about weights that do not fit
_DEFAULT = Path("weights/generator.safetensors")  # written by `dvc repro`


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A loaded network in eval mode, its module's name, and an instance of its Settings."""

    network: nn.Module
    name: str
    settings: object


def save(path: Path, network: nn.Module, *, name: str, settings: object) -> None:
    """Saves the network that `srmodels.models.build(name, settings)` built; atomic."""
    assert dataclasses.is_dataclass(settings), "settings are the network's own dataclass"
    assert not isinstance(settings, type), "settings are an instance"
    spec = {"format": FORMAT, "network": name, "settings": dataclasses.asdict(settings)}
    tensors = {
        key: value.detach().cpu().contiguous().clone()  # safetensors refuses shared memory
        for key, value in network.state_dict().items()
    }
    write_bytes(path, to_bytes(tensors, metadata={_KEY: json.dumps(spec, sort_keys=True)}))


def _metadata(path: Path) -> str | None:
    with safe_open(path, framework="pt") as file:
        text: str | None = (file.metadata() or {}).get(_KEY)
    return text


def _read(path: Path) -> tuple[Mapping[str, object], dict[str, Tensor]]:
    """The metadata, not yet checked, and the tensors."""
    if not path.is_file():
        defaults = {_DEFAULT.absolute(), repository() / _DEFAULT}
        advice = (
            "Train them (`make repro`), or take Real-ESRGAN's: --weights realesrgan-x4plus "
            "(`srmodels weights` lists more)"
        )
        raise WeightsError(
            f"{path}: no such file. {advice if path.absolute() in defaults else 'Check the path'}."
        )
    try:
        text = _metadata(path)
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path}: is no whole safetensors file (got {error}). Use a file that srmodels wrote."
        ) from None
    if text is None:
        raise WeightsError(
            f"{path}: holds weights but no settings (got no metadata key {_KEY!r}). Use a "
            "generator.safetensors that srmodels wrote."
        )
    try:
        spec = json.loads(text)
    except ValueError:
        spec = None
    if not isinstance(spec, dict) or spec.get("format") != FORMAT:
        version = spec.get("format") if isinstance(spec, dict) else text[:40]
        raise WeightsError(
            f"{path}: this version reads format {FORMAT} (got {version!r}). Use the version of "
            "srmodels that wrote the file."
        )
    return spec, tensors


def load(path: Path, *, device: str | torch.device = "cpu") -> Snapshot:
    """Loads what `save` wrote, onto a device; a WeightsError if the file is none of ours."""
    spec, tensors = _read(path)
    name = str(spec.get("network"))
    try:
        kind: type[object] = models.settings_class(name)
        settings = check(spec.get("settings"), kind, "settings")
    except ConfigError as error:
        raise WeightsError(f"{path}: {error}") from None
    network = models.build(name, settings)
    problem = "; ".join(misfits(network.state_dict(), tensors))
    try:
        if not problem:
            network.load_state_dict(tensors)
    except RuntimeError as error:
        problem = str(error)
    if problem:
        raise WeightsError(
            f"{path}: the weights do not fit {name} (got {problem}). Use the version of srmodels "
            "that wrote the file."
        )
    # channels_last: on a CPU, SRResNet's 9x9 layers are several times faster this way
    network.eval().to(device).to(memory_format=torch.channels_last)
    return Snapshot(network=network, name=name, settings=settings)


def is_ours(path: Path) -> bool:
    """Whether a file is a safetensors file with our metadata, whether or not it can be used."""
    try:
        return _metadata(path) is not None
    except (SafetensorError, OSError):
        return False


def _origin(path: Path) -> str:
    """The network that a snapshot names, as a phrase for an error; else an empty text."""
    if path.suffix != ".safetensors":
        return ""
    try:
        spec = json.loads(_metadata(path) or "{}")
        return f"; the file is of {spec['network']} with {spec['settings']}"
    except (ValueError, TypeError, KeyError):
        return ""


def warm_start(network: nn.Module, weights: Path, *, where: str = "init_from") -> None:
    """Loads the weights of another run into a network, all of them or none.

    `where` is the setting that named the file, for the errors.

    `weights` is a snapshot, or a state dict in a .safetensors or .pth file, also with the names of
    public weights. A WeightsError if it holds no state dict, a ConfigError, which names the keys,
    if the weights do not fit.
    """
    state = read_state(weights, where=where, expected="a generator.safetensors")
    expected = network.state_dict().keys()
    state = next((part for part in without_wrappers(state) if part.keys() == expected), state)
    renamed: dict[str, Tensor] = {}
    trial = copy.deepcopy(network)
    # the last hook before loading gets the keys after the network has renamed them
    trial.register_load_state_dict_pre_hook(  # type: ignore[no-untyped-call]  # torch's is untyped
        lambda _, state_dict, *__: renamed.update(state_dict)
    )
    try:
        trial.load_state_dict(state)
    except RuntimeError as error:
        problems = misfits(network.state_dict(), renamed, shown=_SHOWN) or [str(error)]
        raise ConfigError(
            f"{where}: the weights of {weights} do not fit this network (got {'; '.join(problems)}"
            f"{_origin(weights)}). Use weights of the same network and settings."
        ) from None
    network.load_state_dict(trial.state_dict())
