"""The files of a shard: their names, and opening them.

A raw shard is a pair of `.npy` files, hr-SHARD.npy and lr-SHARD.npy, uint8 (rows, side, side, 3),
memory-mapped. A compact one is hr-SHARD.webps and lr-SHARD.webps (see `srmodels.data.store.webp`):
the same pixels, the same index, the same batches.
"""

from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from srmodels.data.store.webp import WebpArray
from srmodels.errors import DataError

__all__ = ["RERUN_HINT", "Layout", "PatchArray", "open_patches", "shard_paths"]

Layout = Literal["raw", "webp"]
_SUFFIXES: dict[Layout, str] = {"raw": ".npy", "webp": ".webps"}
RERUN_HINT = "run the stage `patches` again"


class PatchArray(Protocol):
    """Patches by row: an array, or what decodes them one at a time."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, side, side, 3)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8, or it holds no patches."""

    def __getitem__(self, row: int, /) -> NDArray[np.uint8]: ...


def shard_paths(folder: Path, shard: int, store: Layout = "raw") -> tuple[Path, Path]:
    """The files of a shard: HR and LR."""
    suffix = _SUFFIXES[store]
    return folder / f"hr-{shard:03d}{suffix}", folder / f"lr-{shard:03d}{suffix}"


def open_patches(path: Path) -> PatchArray:
    """Maps a shard's file.

    Raises:
        DataError: It is not there, or damaged.
    """
    try:
        if path.suffix == ".webps":
            return WebpArray(path)
        # as a plain array over the mapped memory: slicing numpy's own memmap class is slow
        return np.asarray(np.load(path, mmap_mode="r"))
    except FileNotFoundError:
        raise DataError(f"{path}: not found, but the index lists it; {RERUN_HINT}") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: is damaged ({error}); {RERUN_HINT}") from None
