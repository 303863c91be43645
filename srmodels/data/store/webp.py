"""The compact store's files: patches as lossless WebP in about half of the raw bytes.

A `.webps` file is two `.npy` arrays one after the other: the WebP pictures end to end (uint8), and
where each begins, with the end of the last (int64). Decoding one takes as long as reading dozens of
raw ones, so this store is for disks that are too small, not for speed.
"""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.data.store.npy import NpyWriter
from srmodels.errors import DataError

__all__ = ["WebpArray", "WebpWriter"]


class WebpArray:
    """Reads a `.webps` file; indexed by row, as the array of a raw shard is.

    Attributes:
        shape: (rows, side, side, 3); the sizes are the first patch's.

    Raises:
        ValueError: The file is cut off, or is none.
        OSError: The file cannot be opened, or its first picture cannot be decoded.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path) -> None:
        self._path = path
        mapped = np.load(path, mmap_mode="r")
        assert isinstance(mapped, np.memmap), "a file is mapped"
        with path.open("rb") as file:
            file.seek(mapped.offset + mapped.nbytes)
            self._starts: NDArray[np.int64] = np.lib.format.read_array(file, allow_pickle=False)
        if self._starts.ndim != 1 or len(self._starts) < 2 or self._starts[-1] != len(mapped):
            raise ValueError("its pictures end elsewhere than its table says")
        self._bytes: NDArray[np.uint8] = np.asarray(mapped)
        self.shape: tuple[int, ...] = (len(self._starts) - 1, *self._decoded(0).shape)

    def _decoded(self, row: int) -> NDArray[np.uint8]:
        picture = self._bytes[self._starts[row] : self._starts[row + 1]].tobytes()
        return np.asarray(Image.open(io.BytesIO(picture), formats=("WEBP",)))

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        """Decodes a patch.

        Raises:
            DataError: It is damaged.
        """
        try:
            patch = self._decoded(row)
        except (OSError, ValueError) as error:
            raise DataError(f"{self._path}: its row {row} is damaged ({error})") from None
        if patch.shape != self.shape[1:]:
            raise DataError(f"{self._path}: its row {row} has another size (found {patch.shape})")
        return patch


class WebpWriter:
    """Writes a `.webps` file row by row, under its name only when it is complete.

    Args:
        path: The file.
        shape: Of a patch.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._array, self._shape = NpyWriter(path, ()), shape
        self._starts = [0]

    @property
    def rows(self) -> int:
        """How many patches have been added."""
        return len(self._starts) - 1

    def add(self, rows: NDArray[np.uint8]) -> None:
        """Appends patches, uint8 (N, side, side, 3)."""
        assert rows.shape[1:] == self._shape, "one shape per shard"
        for patch in rows:
            file = io.BytesIO()
            Image.fromarray(patch).save(file, "WEBP", lossless=True, method=0)
            self._array.add(np.frombuffer(file.getbuffer(), np.uint8))
            self._starts.append(self._array.rows)

    def finish(self) -> None:
        """Gives the file its name."""
        self._array.finish(np.array(self._starts, np.int64))

    def discard(self) -> None:
        """Removes what has been written."""
        self._array.discard()
