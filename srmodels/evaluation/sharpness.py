"""How much of HR's gradient energy SR has: below 1 it is blurred, above 1 too sharp or noisy."""

from torch import Tensor

from srmodels.evaluation.luma import UNITS, Picture, luma_pair

__all__ = ["sharpness", "sharpness_y"]

_FLOOR = 1e-6  # squared grey levels; two flat pictures are equally sharp


def _energy(plane: Tensor) -> float:
    """The mean squared difference to the neighbour below plus that to the right."""
    y = plane.float() / UNITS
    down, right = y.diff(dim=0), y.diff(dim=1)
    return sum(each.square_().double().mean().item() for each in (down, right) if each.numel())


def sharpness(sr: Tensor, hr: Tensor) -> float:
    """Gradient energy of `sr` over that of `hr`, two planes as `luma_pair` returns them."""
    return (_energy(sr) + _FLOOR) / (_energy(hr) + _FLOOR)


def sharpness_y(sr: Picture, hr: Picture, *, border: int) -> float:
    """Gradient energy on Y, SR over HR.

    Args:
        sr: uint8 (H, W, 3), RGB.
        hr: The same size.
        border: Pixels left out on each side.

    Returns:
        1 for equal pictures; a bicubic enlargement of a photograph by 4 has 0.05 to 0.35.

    Raises:
        ProtocolError: The sizes differ, or nothing is left inside the border.
    """
    return sharpness(*luma_pair(sr, hr, border=border))
