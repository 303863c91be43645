"""Checks that the pictures of a test set can be scored, before any is enlarged."""

from collections.abc import Mapping, Sequence

from srmodels.errors import ProtocolError
from srmodels.evaluation.metrics.lpips import MIN_SIDE
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.metrics.ssim import WINDOW

_LISTED = 5


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"


def _listed(problems: Sequence[str]) -> str:
    more = f" and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
    return "; ".join(problems[:_LISTED]) + more


def check_fit(
    images: Sequence[tuple[str, Picture]],
    lr: Mapping[str, Picture] | None = None,
    *,
    scale: int,
    perceptual: bool = False,
) -> None:
    """Checks the sizes of HR pictures, and of their LR pictures by name if these are given.

    With `perceptual`, LPIPS is a score: AlexNet's strides need a least size.
    """
    if not images:
        raise ProtocolError("no picture to score. Add one to the test set.")
    min_side = max(WINDOW + 2 * scale, MIN_SIDE if perceptual else 0)
    small = [
        f"{name}: {_size(hr)}"
        for name, hr in images
        if min(side - side % scale for side in hr.shape[:2]) < min_side
    ]
    if small:
        raise ProtocolError(
            f"picture too small to score (got {_listed(small)} pixels). Use at least "
            f"{min_side + -min_side % scale} pixels on both sides at scale {scale}"
            + (" with LPIPS." if perceptual else ".")
        )
    mismatched = [
        f"{name}: {_size(lr[name])} for {_size(hr)}"
        for name, hr in images
        if lr is not None and lr[name].shape[:2] != (hr.shape[0] // scale, hr.shape[1] // scale)
    ]
    if mismatched:
        raise ProtocolError(
            f"LR does not fit HR at scale {scale} (got {_listed(mismatched)} pixels). Use LR of "
            "HR's size over the scale, rounded down, or weights for another scale."
        )
