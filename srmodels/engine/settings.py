"""Settings of a training: steps, batch, precision, optimizer."""

from dataclasses import dataclass, field
from typing import Literal

from srmodels.data.degradation.settings import DegradationSettings
from srmodels.engine.early_stopping import EarlyStoppingSettings
from srmodels.engine.optim.optim import OptimSettings
from srmodels.engine.run_settings import Precision

__all__ = ["TrainSettings", "members_without_crops"]


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How long and on what a stage trains.

    Attributes:
        steps: Training steps; every player moves once per step.
        batch_size: Crops per step.
        patch_size: Side of a training crop in LR pixels; the HR side is `scale` times that.
        permute_colours: Permutes the colour channels of each pair at random, since bicubic treats
            them alike. Helps with few photographs.
        colour_jitter: Largest relative change of each channel's contrast and brightness, such as
            0.2 (`srmodels.data.batches.paired`); 0 means none. Helps with pictures that are unlike
            the training photographs.
        accumulate: Number of equal parts in which a batch is computed, to save memory.
        precision: "bf16-mixed", "16-mixed" (CUDA GPUs without bfloat16), "32-true", or "auto",
            which is "bf16-mixed" where the device is fast at it and "32-true" elsewhere.
        compiled: Compiles the networks (torch.compile), which takes minutes and saves time on GPUs.
        log_every: Steps between two rows of the loss curves; a row is the mean of its steps.
        validate_every: Steps between two validations; the last step always validates.
        optimizer: Optimizer and learning-rate schedule.
        degradation: "bicubic" reads LR from the patch store; "second_order" makes LR from HR at
            each step, with the degradations of cameras and the web.
        second_order: Settings of that degradation.
        early_stopping: Ends the training when validation scores stop improving, and keeps the best
            generator; None takes all steps and keeps the last.
        on_nan: What to do when a loss or gradient is not finite: "stop" the training, or "skip" the
            step with a warning. If a single photograph causes it, better remove that.
        on_nan_limit: How many steps in a row "skip" may leave out.
    """

    steps: int
    batch_size: int = 16
    patch_size: int = 24
    permute_colours: bool = False
    colour_jitter: float = 0.0
    accumulate: int = 1
    precision: Precision = "auto"
    compiled: bool = False
    log_every: int = 50
    validate_every: int = 500
    optimizer: OptimSettings = field(default_factory=OptimSettings)
    degradation: Literal["bicubic", "second_order"] = "bicubic"
    second_order: DegradationSettings = field(default_factory=DegradationSettings)
    early_stopping: EarlyStoppingSettings | None = None
    on_nan: Literal["stop", "skip"] = "stop"
    on_nan_limit: int = 10

    def __post_init__(self) -> None:
        counts = ("steps", "batch_size", "patch_size", "accumulate")
        for name in (*counts, "log_every", "validate_every", "on_nan_limit"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more")
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
    """The problem, if an ensemble has more members than crops are computed at once; else None.

    Args:
        settings: Of the training.
        generator: The generator's settings; those of an ensemble have `members`.
        where: The key of the training.
        processes: How many divide a batch.
    """
    members = getattr(generator, "members", 1)
    crops = settings.batch_size // settings.accumulate // processes
    if crops >= members:
        return None
    share = f" in each of {processes} processes" if processes > 1 else ""
    return (
        f"{where}.batch_size: too few crops for {members} members, each of which trains on its own "
        f"(got {crops} at once{share}). Set {members * settings.accumulate * processes} or more."
    )
