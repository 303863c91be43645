"""The index of a patch store: one row for each pair of patches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from srmodels.data.store.files import RERUN_HINT
from srmodels.errors import DataError

INDEX = "index.csv"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the index: one pair of patches."""

    photo: str
    split: str  # train
    shard: int
    row: int  # in the shard
    reduced_to: float  # the factor by which the photograph was resized before cutting
    top: int  # LR pixels, in the resized photograph
    left: int
    sharpness: float  # mean step between neighbouring HR pixels, of 255
    crc32: int  # of the bytes of HR, then LR


_DTYPES: dict[str, type] = {
    # not str: pandas' strings cannot hold names that are not UTF-8
    **dict.fromkeys(("photo", "split"), object),
    **dict.fromkeys(("shard", "row", "top", "left", "crc32"), np.int64),
    **dict.fromkeys(("reduced_to", "sharpness"), float),
}


def read_index(folder: Path) -> pd.DataFrame:
    """Reads FOLDER/index.csv; a DataError if it is missing, empty or damaged."""
    path = folder / INDEX
    try:
        table = pd.read_csv(
            path,
            dtype=_DTYPES,
            keep_default_na=False,  # a photograph may be called NA
            encoding_errors="surrogateescape",
        )
    except FileNotFoundError:
        raise DataError(f"{path}: not found. Run the stage `patches`.") from None
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path}: is no index (got {error}). {RERUN_HINT}") from None
    missing = _DTYPES.keys() - set(table.columns)
    if missing or not len(table):
        problem = f"lacks {', '.join(sorted(missing))}" if missing else "is empty"
        raise DataError(f"{path}: {problem}. {RERUN_HINT}")
    return table


@dataclass(frozen=True, slots=True)
class PhotoPatches:
    """The patches of a photograph."""

    hr: NDArray[np.uint8]  # (N, scale * p, scale * p, 3)
    lr: NDArray[np.uint8]  # (N, p, p, 3)
    boxes: NDArray[np.int64]  # (N, 2), top and left in LR pixels
    sharpness: NDArray[np.float64]  # (N,), mean step between neighbouring HR pixels, of 255
    flat: int  # number of patches dropped as flat
