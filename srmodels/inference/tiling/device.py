"""Where and how precisely a generator computes for its user."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import nn

from srmodels.errors import ConfigError
from srmodels.machine import bf16_is_fast

__all__ = [
    "ComputeDtype",
    "Precision",
    "autocast_context",
    "device_of",
    "is_out_of_memory",
    "resolve_device",
    "resolve_precision",
]

ComputeDtype = Literal["fp32", "bf16", "fp16"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]


def resolve_device(name: str) -> torch.device:
    """The device for "auto" (CUDA, then Apple's MPS, then the CPU), "cuda", "mps" or "cpu".

    Raises:
        ConfigError: PyTorch does not see it.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    chosen = next(each for each in there if there[each]) if name == "auto" else name
    if not there.get(chosen, False):
        seen = ", ".join(each for each in there if there[each])
        raise ConfigError(f"device: found {name!r}; PyTorch sees {seen} here (auto takes the best)")
    return torch.device(chosen)


def resolve_precision(device: torch.device, precision: Precision) -> ComputeDtype:
    """What "auto" is on a device: bf16 where the device is fast at it, fp32 elsewhere.

    Raises:
        ConfigError: fp16 is wanted on the CPU.
    """
    if precision == "auto":
        return "bf16" if bf16_is_fast(device.type) else "fp32"
    if precision == "fp16" and device.type == "cpu":
        raise ConfigError("precision: found fp16, which takes a CPU forever; auto, fp32, bf16 do")
    return precision


def device_of(network: nn.Module) -> torch.device:
    """The device a network's parameters are on."""
    first = next(network.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def autocast_context(
    device: torch.device, precision: ComputeDtype
) -> AbstractContextManager[object]:
    """Within it, PyTorch computes at this precision."""
    if precision != "fp32":
        half = torch.bfloat16 if precision == "bf16" else torch.float16
        return torch.autocast(device.type, dtype=half)
    if device.type == "cuda":
        # fp32 means fp32: cuDNN's default rounds the factors of a convolution to TF32
        flags: AbstractContextManager[object] = torch.backends.cudnn.flags(
            enabled=True, deterministic=True, allow_tf32=False
        )
        return flags
    return nullcontext()


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error says that the device's memory, or the machine's, did not suffice."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
