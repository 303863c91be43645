"""The index of a patch store: a row per pair of patches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from srmodels.data.store.files import RERUN_HINT
from srmodels.errors import DataError

__all__ = ["INDEX", "PhotoPatches", "Row", "read_index"]

INDEX = "index.csv"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the index: one pair of patches.

    Attributes:
        photo: The photograph's name.
        split: train.
        shard: Number of the pair of files.
        row: Place inside them.
        reduced_to: The share of its sides to which the photograph was reduced before it was cut.
        top: Of the box, LR pixels of the photograph as it was cut.
        left: Of the box, LR pixels.
        sharpness: Mean step between neighbouring HR pixels, of 255.
        crc32: Checksum of the HR patch's bytes followed by the LR patch's.
    """

    photo: str
    split: str
    shard: int
    row: int
    reduced_to: float
    top: int
    left: int
    sharpness: float
    crc32: int


_KINDS: dict[str, type] = {
    # not str: names that are not UTF-8 have no place in pandas' own strings
    **dict.fromkeys(("photo", "split"), object),
    **dict.fromkeys(("shard", "row", "top", "left", "crc32"), np.int64),
    **dict.fromkeys(("reduced_to", "sharpness"), float),
}


def read_index(folder: Path) -> pd.DataFrame:
    """Reads FOLDER/index.csv.

    Raises:
        DataError: There is none, or it is none.
    """
    path = folder / INDEX
    try:
        table = pd.read_csv(
            path,
            dtype=_KINDS,
            keep_default_na=False,  # a photograph may be called NA
            encoding_errors="surrogateescape",
        )
    except FileNotFoundError:
        raise DataError(f"{path}: not found; run the stage `patches`") from None
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path}: is no index ({error}); {RERUN_HINT}") from None
    missing = _KINDS.keys() - set(table.columns)
    if missing or not len(table):
        what = f"lacks {', '.join(sorted(missing))}" if missing else "is empty"
        raise DataError(f"{path}: {what}; {RERUN_HINT}")
    return table


@dataclass(frozen=True, slots=True)
class PhotoPatches:
    """A photograph's patches.

    Attributes:
        hr: uint8 (N, scale * p, scale * p, 3).
        lr: uint8 (N, p, p, 3).
        boxes: int64 (N, 2), top and left in LR pixels.
        sharpness: float64 (N,), mean step between neighbouring HR pixels, of 255.
        flat: How many patches were dropped as flat.
    """

    hr: NDArray[np.uint8]
    lr: NDArray[np.uint8]
    boxes: NDArray[np.int64]
    sharpness: NDArray[np.float64]
    flat: int
