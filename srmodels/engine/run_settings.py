"""Settings of a run on this machine; importable without Fabric."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["auto", "bf16-mixed", "16-mixed", "32-true"]


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How a run uses this machine; does not change results on one device."""

    # "auto" (CUDA, then Apple's MPS, then the CPU), "cuda", "mps" or "cpu"
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    # GPUs of this machine, one process each (on a CPU: processes). Ignored where torchrun or SLURM
    # launched the processes.
    devices: int = 1
    # how long a process waits for the others, such as during a validation
    answer_seconds: float = 1800.0
    # least time between two checkpoints; longer where saving takes long
    checkpoint_seconds: float = 15.0
    checkpoint_steps: int = 0  # steps between two further checkpoints; 0 means by time alone

    def __post_init__(self) -> None:
        if self.devices < 1:
            raise ValueError("devices must be 1 or more")
        if self.answer_seconds <= 0:
            raise ValueError("answer_seconds must be above 0")
        if self.checkpoint_seconds < 0:
            raise ValueError("checkpoint_seconds must be 0 (after every step) or more")
        if self.checkpoint_steps < 0:
            raise ValueError("checkpoint_steps must be 0 (by time alone) or more")
