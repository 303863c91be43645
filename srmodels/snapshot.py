"""What users load: one safetensors file with the weights and the spec that rebuilds the network.

A snapshot is no checkpoint: nothing is in it that only training needs. Equal weights give equal
bytes, so the whole spec stands in one metadata key (safetensors writes several in any order).
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from srmodels import models
from srmodels.config import check
from srmodels.errors import ConfigError, WeightsError

__all__ = ["FORMAT", "Snapshot", "load", "save", "write_bytes"]

FORMAT = 1
_KEY = "srmodels"
_SHOWN = 3  # keys in an error


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


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all: under another name in the same folder, then renamed.

    Raises:
        OSError: The folder cannot be written to, or the disk is full; `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say where
        raise


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
        raise WeightsError(f"{path}: no such file; `dvc repro` writes one, or name another")
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


def _misfits(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """One phrase for each way in which the tensors do not fit, none if they do."""
    missing = sorted(wanted.keys() - found.keys())
    unexpected = sorted(found.keys() - wanted.keys())
    shaped = [
        f"{key} {tuple(found[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in sorted(wanted.keys() & found.keys())
        if wanted[key].shape != found[key].shape
    ]
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": shaped}
    return [
        f"{len(keys)} {kind}: {', '.join(keys[:_SHOWN])}{', ...' if len(keys) > _SHOWN else ''}"
        for kind, keys in kinds.items()
        if keys
    ]


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
    misfits = _misfits(snapshot.network.state_dict(), tensors)
    if misfits:
        raise WeightsError(
            f"{path}: the weights do not fit {snapshot.name} ({'; '.join(misfits)}); "
            "the code that wrote them was another"
        )
    snapshot.network.load_state_dict(tensors)
    # channels_last: on a CPU, SRResNet's 9x9 layers are several times faster this way
    snapshot.network.eval().to(device).to(memory_format=torch.channels_last)
    return snapshot
