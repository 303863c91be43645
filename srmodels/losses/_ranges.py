"""Whether pictures lie in [0, 1], for losses that would be silently wrong elsewhere."""

import torch
from torch import Tensor

from srmodels.errors import TrainingError

__all__ = ["check_ranges"]

_ROUNDING = 1e-3  # how far outside [0, 1] HR may lie
_OVERSHOOT = 0.1  # beyond this a pixel of SR is outside
_OUTSIDE = 0.25  # the share of SR's values that may be outside


@torch.no_grad()
def check_ranges(sr: Tensor, hr: Tensor) -> None:
    """HR is [0, 1] but for rounding; of SR a quarter may lie more than 0.1 outside.

    A photograph in [-1, 1] has about half of its values below -0.1. NaN in SR passes: the engine
    looks for that, and says it better.

    Raises:
        TrainingError: They are in another range.
    """
    outside = (sr < -_OVERSHOOT) | (sr > 1 + _OVERSHOOT)
    facts = torch.stack([hr.amin().float(), hr.amax().float(), outside.float().mean()])
    low, high, share = facts.tolist()  # one wait for the device, not three
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
        raise TrainingError(
            f"perceptual: HR is not in [0, 1] (found {low:g} to {high:g}); "
            "images are [0, 1] everywhere, the ImageNet normalisation is done inside"
        )
    if share > _OUTSIDE:
        raise TrainingError(
            f"perceptual: SR is not in [0, 1] ({share:.0%} of its values lie more than "
            f"{_OVERSHOOT} outside); a network that thinks in another range converts inside "
            "itself, and one that diverged wants a smaller learning rate"
        )
