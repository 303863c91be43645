"""A generator alone, trained with a pixel loss."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from srmodels.data.batches.batch import Batch
from srmodels.losses.pixel import EPSILON, PixelKind, pixel_loss
from srmodels.objectives.turn import Losses, Shared, Turn

ROLES = ("generator",)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which pixel loss."""

    # "l1" (EDSR and later; arXiv:1707.02921, section 3.3), "mse" (SRCNN, SRResNet) or "charbonnier"
    # (LapSRN)
    kind: PixelKind = "l1"
    # charbonnier's epsilon, below which the loss is nearly quadratic; the range of a picture is 1
    epsilon: float = EPSILON
    # the share of the loss that is computed on luma, which PSNR-Y measures; 0 uses RGB alone, as
    # published
    luma: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.luma < 1:  # at 1 nothing would constrain the colours
            raise ValueError("luma must lie in [0, 1)")
        if not 0 < self.epsilon <= 1:
            raise ValueError("epsilon must lie in (0, 1]")
        if self.epsilon != EPSILON and self.kind != "charbonnier":
            raise ValueError(
                f"epsilon belongs to kind: charbonnier (got {self.kind}). Remove epsilon"
            )


def turns(
    networks: Mapping[str, nn.Module], settings: Settings, _device: torch.device | None = None
) -> tuple[Turn, ...]:
    """One turn of the generator, with the term "pixel"."""
    generator = networks["generator"]
    distance = pixel_loss(settings.kind, epsilon=settings.epsilon, luma=settings.luma)

    def losses(batch: Batch, _shared: Shared) -> Losses:
        return {"pixel": distance(generator(batch.lr), batch.hr)}

    return (Turn("generator", (generator,), losses),)
