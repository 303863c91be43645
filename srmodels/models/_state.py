"""Reads state dicts from files and compares them with a network's."""

import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from srmodels.errors import WeightsError

# keys under which public files keep the state dict; averaged weights first
_NESTED = ("params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model", "net")
# modules that hold a generator, in BasicSR, Lightning and scripts
_WRAPPERS = ("netG", "net_g", "generator", "model", "net", "network", "module", "_orig_mod")
_PICKLED_CALL = re.compile(r"GLOBAL (\S+)")


def _reason(error: Exception) -> str:
    """Why a file cannot be read; PyTorch's own message recommends unsafe unpickling."""
    if isinstance(error, SafetensorError | OSError):
        return str(error)
    call = _PICKLED_CALL.search(str(error))
    if call is not None:
        return f"its pickle would run {call[1]}, and no code in a file is run"
    return f"{type(error).__name__}: the file is damaged or has more than tensors"


def read_state(path: Path, *, where: str, expected: str) -> dict[str, Tensor]:
    """A state dict of a safetensors or PyTorch file; errors say what `where` should name."""
    if not path.is_file():
        raise WeightsError(f"{where}: no such file (got {str(path)!r}). Give {expected}.")
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):  # about the format of old files
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise many types
        raise WeightsError(
            f"{where}: {path} cannot be read (got {_reason(error)}). Give a file with a state dict."
        ) from error
    if isinstance(state, dict):
        nested = [key for key, value in state.items() if isinstance(value, dict)]
        known = [key for key in _NESTED if key in nested] or (nested if len(nested) == 1 else [])
        state = state[known[0]] if known else state
    values = list(state.values()) if isinstance(state, dict) else [state]
    other = [value for value in values if not isinstance(value, Tensor)]
    if other or not isinstance(state, dict):
        raise WeightsError(
            f"{where}: {path} holds no state dict (got {type((other or values)[0]).__name__}). "
            "Give a file with tensors by name."
        )
    return state


def without_wrappers(state: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """The state dict, then parts of it without names such as "module.", "_orig_mod.", "netG."."""
    yield dict(state)
    names = {key.partition(".")[0] for key in state}
    for name in names if len(names) == 1 else [name for name in _WRAPPERS if name in names]:
        start = f"{name}."
        inner = {key[len(start) :]: each for key, each in state.items() if key.startswith(start)}
        if inner:
            yield from without_wrappers(inner)


def misfits(
    expected: Mapping[str, Tensor], actual: Mapping[str, Tensor], *, shown: int = 3
) -> list[str]:
    """One phrase per kind of mismatch between two state dicts; `shown` keys per phrase."""
    shapes = [
        f"{key} {tuple(actual[key].shape)} instead of {tuple(expected[key].shape)}"
        for key in sorted(expected.keys() & actual.keys())
        if expected[key].shape != actual[key].shape
    ]
    mismatches = {
        "missing": sorted(expected.keys() - actual.keys()),
        "unexpected": sorted(actual.keys() - expected.keys()),
        "of another shape": shapes,
    }
    return [
        f"{len(keys)} {kind}: {', '.join(keys[:shown])}{', ...' if len(keys) > shown else ''}"
        for kind, keys in mismatches.items()
        if keys
    ]
