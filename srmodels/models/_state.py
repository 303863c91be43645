"""State dicts: read from a file of this project's or anyone's, compared with a network's."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from srmodels.errors import WeightsError

__all__ = ["misfits", "read_state"]

# where public files keep it; the average first
_INSIDE = ("params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model", "net")
_CALL = re.compile(r"GLOBAL (\S+)")  # how torch names what a pickle wants to call


def _reason(error: Exception) -> str:
    """Why a file cannot be read; torch's own words advise to unpickle anything."""
    if isinstance(error, SafetensorError | OSError):
        return str(error)
    call = _CALL.search(str(error))
    if call is not None:
        return f"its pickle would run {call[1]}, and no code in a file is ever run"
    return f"{type(error).__name__}: damaged, or more than tensors in it"


def read_state(path: Path, *, where: str, right: str) -> dict[str, Tensor]:
    """Reads a state dict, on the CPU.

    Args:
        path: A safetensors file, or a PyTorch one, of which nothing but tensors is unpickled.
        where: The key that named it, for the errors.
        right: What that key should hold, for the error that there is no such file.

    Raises:
        WeightsError: The file is missing, cannot be read, or holds no state dict.
    """
    if not path.is_file():
        raise WeightsError(f"{where}: no such file (found {str(path)!r}); {right} is right")
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):  # of old and odd files; the rest is errors
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged file makes torch raise
        raise WeightsError(
            f"{where}: {path} cannot be read ({_reason(error)}); a state dict is right"
        ) from error
    if isinstance(state, dict):
        state = next((state[key] for key in _INSIDE if isinstance(state.get(key), dict)), state)
    values = list(state.values()) if isinstance(state, dict) else [state]
    stranger = next((each for each in values if not isinstance(each, Tensor)), None)
    if stranger is not None or not isinstance(state, dict):
        kind = type(stranger if stranger is not None else state).__name__
        raise WeightsError(
            f"{where}: {path} holds no state dict (found {kind}); tensors by name are right"
        )
    return state


def misfits(
    wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], *, shown: int = 3
) -> list[str]:
    """One phrase for each way in which the tensors do not fit, none if they do.

    Args:
        wanted: The network's.
        found: Those meant for it.
        shown: How many keys a phrase names; it counts them all.
    """
    missing = sorted(wanted.keys() - found.keys())
    unexpected = sorted(found.keys() - wanted.keys())
    shaped = [
        f"{key} {tuple(found[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in sorted(wanted.keys() & found.keys())
        if wanted[key].shape != found[key].shape
    ]
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": shaped}
    return [
        f"{len(keys)} {kind}: {', '.join(keys[:shown])}{', ...' if len(keys) > shown else ''}"
        for kind, keys in kinds.items()
        if keys
    ]
