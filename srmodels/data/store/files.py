"""The files of a shard, hr-SHARD and lr-SHARD: `.npy`, memory-mapped, or `.webps`, compressed."""

from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from srmodels.data.store.webp import RERUN_HINT, WebpArray
from srmodels.errors import DataError

Layout = Literal["raw", "webp"]  # fast to read, or small
_SUFFIXES: dict[Layout, str] = {"raw": ".npy", "webp": ".webps"}


class PatchArray(Protocol):
    """Patches by row: an array, or a reader that decodes one at a time."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, side, side, 3)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 in a sound shard."""

    def __getitem__(self, row: int, /) -> NDArray[np.uint8]: ...


def shard_paths(folder: Path, shard: int, store: Layout = "raw") -> tuple[Path, Path]:
    """The HR file and the LR file of a shard."""
    suffix = _SUFFIXES[store]
    return folder / f"hr-{shard:03d}{suffix}", folder / f"lr-{shard:03d}{suffix}"


def open_patches(path: Path) -> PatchArray:
    """Opens a file of a shard.

    Raises:
        DataError: The file is missing or damaged.
    """
    try:
        if path.suffix == ".webps":
            return WebpArray(path)
        # np.asarray, because slicing np.memmap is slow
        return np.asarray(np.load(path, mmap_mode="r"))
    except FileNotFoundError:
        raise DataError(f"{path}: not found, but the index lists it. {RERUN_HINT}") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: is damaged (got {error}). {RERUN_HINT}") from None
