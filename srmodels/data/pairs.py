"""LR pictures that come with HR ones, paired by name."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srmodels.data.source import whole_images
from srmodels.errors import DataError

__all__ = ["lr_pictures"]

Picture = NDArray[np.uint8]
_LISTED = 5


def _bare(name: str, scale: int) -> str:
    """A name without what tells LR from HR: 0801 of 0801x4 (DIV2K), a of a_HR or a_LRBI_x4."""
    return re.sub(rf"(?:[_-]?x{scale}|[_-](?:HR|GT|LR|LRBI))+$", "", name, flags=re.IGNORECASE)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def lr_pictures(names: Sequence[str], folder: Path, *, scale: int) -> dict[str, Picture]:
    """The LR pictures of a folder, by the names of their HR pictures.

    Args:
        names: Of the HR pictures, as `whole_images` names them.
        folder: Of as many LR pictures, with the same names, or with the suffix x and the scale.
        scale: HR over LR.

    Raises:
        DataError: There is no such folder, or some have no partner; lists them.
        PhotoError: A picture cannot be decoded.
    """
    small = dict(whole_images(folder))
    pairs = {name: name for name in names if name in small}
    others = {_bare(name, scale): name for name in small if name not in pairs}
    for name in names:
        if name not in pairs and (partner := others.get(_bare(name, scale))) is not None:
            pairs[name] = partner
    without = [name for name in names if name not in pairs]
    left = sorted(small.keys() - pairs.values())
    if without or left:
        found = [f"no LR for {_some(without)}"] if without else []
        found += [f"no HR for {_some(left)}"] if left else []
        raise DataError(
            f"{folder}: LR and HR do not pair by name (found {'; '.join(found)}); equal names are "
            f"right, LR's with x{scale} behind them or without"
        )
    return {name: small[pairs[name]] for name in names}
