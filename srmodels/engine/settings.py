"""Settings of a training: steps, batch, precision, optimizer."""

from dataclasses import dataclass, field
from typing import Literal

from srmodels.config import check_least
from srmodels.data.degradation.settings import DegradationSettings
from srmodels.engine.early_stopping import EarlyStoppingSettings
from srmodels.engine.optim.optimizer import OptimSettings

Precision = Literal["auto", "bf16-mixed", "16-mixed", "32-true"]


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How a run uses this machine; changes results on one device by rounding at most."""

    # "auto" (CUDA, then Apple's MPS, then the CPU), "cuda", "mps" or "cpu"
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    # GPUs of this machine, one process each (on a CPU: processes). Ignored where torchrun or SLURM
    # launched the processes.
    devices: int = 1
    # CPU threads of a process. 0: PyTorch's number, shared with other trainings on these cores, and
    # fewer beside other programs where that is faster. The number changes the results' last digits.
    threads: int = 0
    # how long a process waits for the others, such as during a validation
    answer_seconds: float = 1800.0
    # least time between two checkpoints; longer where saving takes long
    checkpoint_seconds: float = 15.0
    checkpoint_steps: int = 0  # steps between two further checkpoints; 0 means by time alone

    def __post_init__(self) -> None:
        check_least(self, 1, "devices")
        check_least(self, 0, "threads", "checkpoint_seconds", "checkpoint_steps")
        if self.answer_seconds <= 0:
            raise ValueError("answer_seconds must be above 0")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How long and on what a stage trains."""

    # training steps; every player moves once per step. A pretraining of 0 keeps init_from's weights
    steps: int
    batch_size: int = 16  # crops per step
    patch_size: int = 24  # side of a training crop in LR pixels; the HR side is `scale` times that
    # Permutes the colour channels of each pair at random, since bicubic treats them alike. Helps
    # with few photographs.
    permute_colours: bool = False
    # Largest relative change of each channel's contrast and brightness, such as 0.2
    # (`srmodels.data.batches.paired`); 0 means none. Helps with pictures that are unlike the
    # training photographs.
    colour_jitter: float = 0.0
    accumulate: int = 1  # number of equal parts in which a batch is computed, to save memory
    # "bf16-mixed", "16-mixed" (CUDA GPUs without bfloat16), "32-true" (on CUDA with PyTorch's TF32
    # convolutions), or "auto": "bf16-mixed" where the device is fast at it, "32-true" elsewhere
    precision: Precision = "auto"
    # compiles the networks (torch.compile), which takes minutes and saves time on GPUs
    compiled: bool = False
    log_every: int = 50  # steps between two rows of the loss curves; a row is the mean of its steps
    validate_every: int = 500  # steps between two validations; the last step always validates
    # optimizer and learning-rate schedule
    optimizer: OptimSettings = field(default_factory=OptimSettings)
    # "bicubic" reads LR from the patch store; "second_order" makes LR from HR at each step, with
    # the degradations of cameras and the web
    degradation: Literal["bicubic", "second_order"] = "bicubic"
    # settings of that degradation
    second_order: DegradationSettings = field(default_factory=DegradationSettings)
    # ends the training when validation scores stop improving, and keeps the best generator; None
    # takes all steps and keeps the last
    early_stopping: EarlyStoppingSettings | None = None
    # What to do when a loss or gradient is not finite: "stop" the training, or "skip" the step with
    # a warning. If a single photograph causes it, better remove that.
    on_nan: Literal["stop", "skip"] = "stop"
    on_nan_limit: int = 10  # how many steps in a row "skip" may leave out

    def __post_init__(self) -> None:
        check_least(self, 0, "steps")
        check_least(self, 1, "batch_size", "patch_size", "accumulate")
        check_least(self, 1, "log_every", "validate_every", "on_nan_limit")
        if self.batch_size % self.accumulate:
            raise ValueError(f"accumulate must divide batch_size, {self.batch_size}")
        if not 0 <= self.colour_jitter <= 1:
            raise ValueError("colour_jitter must lie in [0, 1]")
        if self.colour_jitter and self.degradation != "bicubic":
            raise ValueError("colour_jitter belongs to degradation: bicubic")
        if self.accumulate > 1 and self.precision == "16-mixed":
            raise ValueError("accumulate must be 1 where precision is 16-mixed")


def members_without_crops(
    settings: TrainSettings, generator: object, *, where: str, processes: int = 1
) -> str | None:
    """The problem, if an ensemble has more members than crops are computed at once."""
    members = getattr(generator, "members", 1)
    crops = settings.batch_size // settings.accumulate // processes
    if crops >= members:
        return None
    share = f" in each of {processes} processes" if processes > 1 else ""
    return (
        f"{where}.batch_size: too few crops for {members} members, each of which trains on its own "
        f"(got {crops} at once{share}). Set {members * settings.accumulate * processes} or more."
    )
