"""Whether the pictures of a test set can be scored at all: said before any is enlarged, by name."""

from collections.abc import Mapping, Sequence

from srmodels.errors import ProtocolError
from srmodels.evaluation.lpips import LEAST
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.ssim import WINDOW

__all__ = ["check_fit"]

_LISTED = 5


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"


def _listed(faults: Sequence[str]) -> str:
    more = f" and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
    return "; ".join(faults[:_LISTED]) + more


def check_fit(
    images: Sequence[tuple[str, Picture]],
    lr: Mapping[str, Picture] | None = None,
    *,
    scale: int,
    lpips: bool = False,
) -> None:
    """Checks sizes.

    Args:
        images: Names and HR pictures.
        lr: Their LR pictures by name; None where LR is made of HR.
        scale: HR over LR.
        lpips: Whether that is to be computed, which needs more than SSIM's window.

    Raises:
        ProtocolError: There is no picture, some leave too little inside the border, or an LR is
            not as large as HR, cut to a multiple of the scale, makes it.
    """
    if not images:
        raise ProtocolError("no picture to score; a test set needs at least one")
    least = (LEAST if lpips else WINDOW) + 2 * scale
    small = [
        f"{name}: {_size(hr)}"
        for name, hr in images
        if min(side - side % scale for side in hr.shape[:2]) < least
    ]
    if small:
        raise ProtocolError(
            f"picture too small to score (found {_listed(small)} pixels); at scale {scale} both "
            f"sides must be at least {least + -least % scale}"
        )
    unlike = [
        f"{name}: {_size(lr[name])} for {_size(hr)}"
        for name, hr in images
        if lr is not None and lr[name].shape[:2] != (hr.shape[0] // scale, hr.shape[1] // scale)
    ]
    if unlike:
        raise ProtocolError(
            f"LR does not fit HR at scale {scale} (found {_listed(unlike)} pixels); LR of HR's "
            "size over the scale, rounded down, is right, or weights for another scale"
        )
