"""`.webps` files: patches as lossless WebP, about half the size of `.npy`.

A file is two `.npy` arrays: the encoded pictures end to end (uint8), then their offsets and the end
of the last (int64). Decoding a patch takes as long as reading dozens of raw ones.
"""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.data.store.npy import NpyWriter
from srmodels.errors import DataError

RERUN_HINT = "Run the stage `patches` again."


class WebpArray:
    """Reads a `.webps` file, indexed by row like the array of a raw shard.

    Raises:
        ValueError: The file is truncated or of another kind.
        OSError: The file cannot be opened, or its first picture cannot be decoded.
    """

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


class WebpWriter(NpyWriter):
    """Writes a `.webps` file of patches, as `NpyWriter` writes a `.npy` file."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        super().__init__(path, ())
        self._patch_shape = shape
        self._offsets = [0]

    def add(self, rows: NDArray[np.uint8]) -> None:
        """Appends patches, uint8 (N, side, side, 3)."""
        assert rows.shape[1:] == self._patch_shape, "one shape per shard"
        for patch in rows:
            file = io.BytesIO()
            Image.fromarray(patch).save(file, "WEBP", lossless=True, method=0)
            super().add(np.frombuffer(file.getbuffer(), np.uint8))
            self._offsets.append(self._length)

    def finish(self) -> None:
        """Appends the offsets and renames the file."""
        self._finish(np.array(self._offsets, np.int64))
