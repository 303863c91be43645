"""Where to look: the windows in which the models' pictures differ most, the same for all."""

from collections.abc import Sequence

import numpy as np

from srmodels.evaluation.luma import Picture
from srmodels.evaluation.pictures import box_sums

__all__ = ["differing"]


def differing(pictures: Sequence[Picture], *, size: int, count: int) -> list[tuple[int, int]]:
    """Corners of windows, the one with the largest variance over the pictures first.

    A window's worth is the sum over it, which smooths as well; each further window is the best of
    those that do not overlap the ones before.

    Args:
        pictures: SR of one picture by several models, uint8 (H, W, 3) each.
        size: Side of a window in pixels; at most the picture's smaller side.
        count: How many; fewer where no more fit.

    Returns:
        Top and left of each.
    """
    total = np.zeros(pictures[0].shape)
    squares = np.zeros_like(total)
    for each in pictures:
        values = each.astype(np.float64)
        total += values
        squares += values**2
    variance = squares / len(pictures) - (total / len(pictures)) ** 2
    worth = box_sums(variance.sum(axis=2), size)
    corners: list[tuple[int, int]] = []
    while len(corners) < count and np.isfinite(worth).any():
        top, left = divmod(int(worth.argmax()), worth.shape[1])
        corners.append((top, left))
        rows, columns = (slice(max(0, at - size + 1), at + size) for at in (top, left))
        worth[rows, columns] = -np.inf
    return corners
