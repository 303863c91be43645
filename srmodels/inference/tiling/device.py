"""Device and precision of a network at inference."""

from typing import Literal

import torch
from torch import nn

from srmodels.errors import ConfigError
from srmodels.machine import bf16_is_fast

__all__ = [
    "ComputeDtype",
    "Engine",
    "Precision",
    "device_of",
    "resolve_precision",
]

ComputeDtype = Literal["fp32", "bf16", "fp16"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Engine = Literal["torch", "openvino"]  # what computes the trunk


def resolve_precision(device: torch.device, precision: Precision) -> ComputeDtype:
    """Replaces "auto" by bf16 where the device is fast at it, by fp32 elsewhere.

    Raises:
        ConfigError: fp16 on a CPU.
    """
    if precision == "auto":
        return "bf16" if bf16_is_fast(device.type) else "fp32"
    if precision == "fp16" and device.type == "cpu":
        raise ConfigError("precision: is too slow on a CPU (got 'fp16'). Use auto, fp32 or bf16.")
    return precision


def device_of(network: nn.Module) -> torch.device:
    """The device of a network's parameters; the CPU if there are none."""
    parameter = next(network.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device
