"""How long and on what a phase trains."""

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
        steps: How often every player moves.
        batch_size: Crops per step.
        patch_size: Side of a training crop in LR pixels; the HR side is `scale` times that.
        permute_colours: Exchanges the colours of each pair at random: as bicubic treats them alike,
            these are further pictures. It helps where photographs are few.
        colour_jitter: How much the contrast and brightness of each colour vary from pair to pair,
            such as 0.2 (`srmodels.data.batches.paired`); 0 is not at all. It helps with pictures
            that are unlike the photographs.
        accumulate: In how many equal parts, one after the other, a batch is computed, where memory
            does not hold it whole.
        precision: "bf16-mixed", "16-mixed" (CUDA, for GPUs without bfloat16), "32-true", or "auto":
            the first where the device is fast at it, else the last.
        compiled: Whether networks are compiled (torch.compile) first, which takes minutes and
            saves time on GPUs.
        log_every: Steps between two points of the loss curves; a point is their mean.
        validate_every: Steps between two validations; the last step always validates.
        optimizer: What moves the parameters.
        degradation: "bicubic" takes the stored LR, which the protocol's kernel made;
            "second_order" makes LR from HR anew for each step, as a camera and the net would.
        second_order: How that is done.
        early_stopping: When validation no longer gains, the training ends and gives the generator
            that scored best; None takes all steps and gives the last.
        on_nan: What a loss or a gradient that is not finite does: "stop" ends the training; "skip"
            leaves the step out, as if it had not been, and says so. Where it is one photograph,
            taking that out is better.
        on_nan_limit: How many steps in a row "skip" leaves out; one more ends the training.
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
        """Checks the ranges."""
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
    """What is wrong where an ensemble has more members than crops are computed at once.

    Args:
        settings: Of the training.
        generator: The generator's settings; those of an ensemble have `members`.
        where: The key of the training.
        processes: How many share a batch.

    Returns:
        The problem, or None.
    """
    members = getattr(generator, "members", 1)
    at_once = settings.batch_size // settings.accumulate // processes
    if at_once >= members:
        return None
    each = f" in each of {processes} processes" if processes > 1 else ""
    return (
        f"{where}.batch_size: found {at_once} crops at once{each}, but the generator has "
        f"{members} members, each of which learns from its own; "
        f"{members * settings.accumulate * processes} or more would be right"
    )
