"""How many photographs are enough to compare trainings."""

import math
from collections.abc import Sequence

from srmodels.data.photos.table import Photo
from srmodels.data.split import LEAST, SPLITS

_SPREAD = 0.15  # dB, between two recipes from picture to picture (docs/OWN_PHOTOS.md)
_Z = 1.96  # standard errors to each side of a mean in a 95 % interval
_FEWEST = 3  # pictures that an interval has at least


def images_needed(spread: float, *, difference: float = 0.1) -> int:
    """How many images an interval needs to exclude 0, for a mean difference of scores.

    `spread` is the standard deviation of the difference from image to image, in the same unit.
    """
    return max(_FEWEST, math.ceil((_Z * spread / difference) ** 2))


def small_split_warnings(photos: Sequence[Photo]) -> list[str]:
    """What a test or validation split with few photographs cannot show; a line each."""
    counts = {split: sum(photo.split == split for photo in photos) for split in SPLITS}
    test, validation = counts["test"], counts["validation"]
    warnings = []
    if test < LEAST["test"]:
        warnings.append(
            f"data.test: too few test photographs to compare trainings (got {test}). About "
            f"{images_needed(_SPREAD)} show a difference of 0.1 dB that varies by {_SPREAD} dB "
            "from picture to picture. Set data.test=0.2, or add photographs."
        )
    if validation < LEAST["validation"]:
        warnings.append(
            f"data.validation: too few validation photographs to see overfitting (got "
            f"{validation}). Set data.validation=0.1, or add photographs."
        )
    return warnings
