"""A generator on its own, trained pixel by pixel against HR."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from srmodels.data.batches.batch import Batch
from srmodels.losses.pixel import EPSILON, PixelKind, pixel_loss
from srmodels.objectives.turn import Losses, Memo, Turn

__all__ = ["ROLES", "PixelSettings", "Settings", "pixel_turns", "turns"]

ROLES = ("generator",)


@dataclass(frozen=True, kw_only=True)
class PixelSettings:
    """Which pixel loss.

    Attributes:
        kind: "l1" (EDSR and after; arXiv:1707.02921, section 3.3), "mse" (SRCNN, SRResNet) or
            "charbonnier" (LapSRN).
        epsilon: Charbonnier's: where the square ends and L1 begins; 1 is the range of a picture.
        luma: The share of the loss that is the distance in brightness, in which scores are
            counted; 0 is the colours' alone, as published.
    """

    kind: PixelKind = "l1"
    epsilon: float = EPSILON
    luma: float = 0.0

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if not 0 <= self.luma < 1:  # at 1 nothing would hold the colours
            raise ValueError("luma must lie in [0, 1)")
        if not 0 < self.epsilon <= 1:
            raise ValueError("epsilon must lie in (0, 1]")
        if self.epsilon != EPSILON and self.kind != "charbonnier":
            raise ValueError(f"epsilon belongs to kind: charbonnier (found {self.kind})")


Settings = PixelSettings


def pixel_turns(generator: nn.Module, settings: PixelSettings) -> tuple[Turn, ...]:
    """One turn: the generator descends "pixel"."""
    distance = pixel_loss(settings.kind, epsilon=settings.epsilon, luma=settings.luma)

    def losses(batch: Batch, memo: Memo) -> Losses:  # noqa: ARG001 - nobody comes after
        return {"pixel": distance(generator(batch.lr), batch.hr)}

    return (Turn("generator", (generator,), losses),)


def turns(
    networks: Mapping[str, nn.Module],
    settings: PixelSettings,
    device: torch.device | None,  # noqa: ARG001 - nothing of its own to place
) -> tuple[Turn, ...]:
    """The turns, for networks by role."""
    return pixel_turns(networks["generator"], settings)
