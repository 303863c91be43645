"""Where and how precisely a training computes: one Lightning Fabric, chosen once and said aloud."""

import ctypes
import logging
import platform
from dataclasses import dataclass
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision

from srmodels.errors import ConfigError

__all__ = ["Precision", "RunSettings", "fabric_for", "keep_freed_memory"]

log = logging.getLogger(__name__)

Precision = Literal["auto", "bf16-mixed", "32-true"]

_M_TRIM_THRESHOLD = -1  # names and values of glibc's malloc.h
_M_MMAP_MAX = -4


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How a run behaves on this machine; nothing here changes what it computes on one device.

    Attributes:
        device: "auto" (CUDA, then Apple's MPS, then the CPU), "cuda", "mps" or "cpu".
        checkpoint_seconds: Least time between two checkpoints, in seconds; slow disks get more.
    """

    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    checkpoint_seconds: float = 15.0

    def __post_init__(self) -> None:
        """Checks the range."""
        if self.checkpoint_seconds < 0:
            raise ValueError("checkpoint_seconds must be 0 (after every step) or more")


class _WholeInputs(MixedPrecision):  # type: ignore[misc]  # Fabric is not typed for mypy here
    """Autocast that leaves the inputs in float32: bfloat16 would round a picture to 1/256."""

    def convert_input(self, data: Any) -> Any:  # noqa: ANN401 - as in the base class
        """Leaves all as it is; autocast casts where a layer computes in bfloat16."""
        return data


def _device(wanted: str) -> str:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next((name for name, there in available.items() if there), "cpu")
    if not available.get(wanted, True):
        raise ConfigError(f"run.device: found {wanted!r}, which PyTorch does not see; use auto")
    return wanted


def _bf16_is_fast(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def fabric_for(run: RunSettings, precision: Precision) -> Fabric:
    """The Fabric for one process on the chosen device.

    Args:
        run: The device wanted.
        precision: "auto" is "bf16-mixed" where the device is fast at it, "32-true" elsewhere.

    Raises:
        ConfigError: The device asked for by name is not there.
    """
    device = _device(run.device)
    if precision == "auto":
        precision = "bf16-mixed" if _bf16_is_fast(device) else "32-true"
    if device == "cpu":
        keep_freed_memory()
    log.info("device %s, precision %s, %d threads", device, precision, torch.get_num_threads())
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it would say the same again
    plugins = [] if precision == "32-true" else [_WholeInputs(precision, device)]
    fabric = Fabric(accelerator=device, devices=1, plugins=plugins)
    fabric.launch()
    return fabric


def keep_freed_memory() -> None:
    """Tells glibc to keep freed activations in the heap instead of returning them each step.

    Every step allocates the same blocks again; handing them back to the kernel costs page faults,
    about a third of a small network's step. Elsewhere than on glibc there is nothing to do.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
