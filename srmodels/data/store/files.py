"""The files of a shard, hr-SHARD and lr-SHARD: `.npy`, memory-mapped, or `.webps`, compressed.

A `.webps` file has patches as lossless WebP, about half the size of `.npy`: two `.npy` arrays, the
encoded pictures end to end (uint8), then their offsets and the end of the last (int64). Decoding a
patch takes as long as reading dozens of raw ones.
"""

import io
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.errors import DataError

RERUN_HINT = "Run the stage `patches` again."
Layout = Literal["raw", "webp"]  # fast to read, or small
_SUFFIXES: dict[Layout, str] = {"raw": ".npy", "webp": ".webps"}


class WebpArray:
    """Reads a `.webps` file, indexed by row; a ValueError or an OSError if it is no whole one."""

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path) -> None:
        self._path = path
        mapped = np.load(path, mmap_mode="r")
        assert isinstance(mapped, np.memmap), "np.load maps a file"
        with path.open("rb") as file:
            file.seek(mapped.offset + mapped.nbytes)
            self._offsets: NDArray[np.int64] = np.lib.format.read_array(file, allow_pickle=False)
        if self._offsets.ndim != 1 or len(self._offsets) < 2 or self._offsets[-1] != len(mapped):
            raise ValueError("its offsets do not end where its pictures do")
        self._bytes: NDArray[np.uint8] = np.asarray(mapped)
        self.shape: tuple[int, ...] = (len(self._offsets) - 1, *self._decode(0).shape)

    def _decode(self, row: int) -> NDArray[np.uint8]:
        encoded = self._bytes[self._offsets[row] : self._offsets[row + 1]].tobytes()
        return np.asarray(Image.open(io.BytesIO(encoded), formats=("WEBP",)))

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        """Decodes a patch."""
        try:
            patch = self._decode(row)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self._path}: its row {row} is damaged (got {error}). {RERUN_HINT}"
            ) from None
        if patch.shape != self.shape[1:]:
            raise DataError(
                f"{self._path}: its row {row} has another size (got {patch.shape}). {RERUN_HINT}"
            )
        return patch


PatchArray = NDArray[np.uint8] | WebpArray
"""Patches by row, (rows, side, side, 3)."""


def shard_paths(folder: Path, shard: int, store: Layout = "raw") -> tuple[Path, Path]:
    """The HR file and the LR file of a shard."""
    suffix = _SUFFIXES[store]
    return folder / f"hr-{shard:03d}{suffix}", folder / f"lr-{shard:03d}{suffix}"


def open_patches(path: Path) -> PatchArray:
    """Opens a file of a shard; a DataError if it is missing or damaged."""
    try:
        if path.suffix == ".webps":
            return WebpArray(path)
        # np.asarray, because slicing np.memmap is slow
        return np.asarray(np.load(path, mmap_mode="r"))
    except FileNotFoundError:
        raise DataError(f"{path}: not found, but the index lists it. {RERUN_HINT}") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: is damaged (got {error}). {RERUN_HINT}") from None
