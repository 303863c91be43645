"""Reading patches: shards of HR and LR, cut by photograph, and an index of their rows."""

import hashlib
import zlib
from pathlib import Path
from threading import Lock
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from srmodels.data.store.files import RERUN_HINT, Layout, PatchArray, open_patches, shard_paths
from srmodels.data.store.index import INDEX, Row, read_index
from srmodels.errors import DataError

__all__ = ["INDEX", "Layout", "PatchStore", "Row", "shard_paths"]


def _crc32(hr: NDArray[np.uint8], lr: NDArray[np.uint8]) -> int:
    return zlib.crc32(lr.tobytes(), zlib.crc32(hr.tobytes()))


class PatchStore:
    """Reads a folder of shards: checks the index against the files, maps a file when first used.

    Attributes:
        photos: Name of each row's photograph.
        patch_size: LR pixels.
        scale: HR over LR.

    Raises:
        DataError: The folder holds no complete store, or a shard does not fit the index; names it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = read_index(folder)
        self.photos: list[str] = self._index["photo"].tolist()
        self._shards: NDArray[np.int64] = self._index["shard"].to_numpy(np.int64)
        self._rows: NDArray[np.int64] = self._index["row"].to_numpy(np.int64)
        self._opened: dict[int, tuple[PatchArray, PatchArray]] = {}
        self._opening = Lock()
        sizes = {self._check(int(shard)) for shard in np.unique(self._shards)}
        if len(sizes) != 1:
            raise DataError(f"{folder}: shards of different patch sizes (found {sorted(sizes)})")
        self.patch_size, self.scale = sizes.pop()

    def _paths(self, shard: int) -> tuple[Path, Path]:
        raw, compact = (shard_paths(self.folder, shard, store) for store in get_args(Layout))
        return compact if compact[0].exists() else raw

    def _open_shard(self, shard: int) -> tuple[PatchArray, PatchArray]:
        hr, lr = self._paths(shard)
        return open_patches(hr), open_patches(lr)

    def _arrays(self, shard: int) -> tuple[PatchArray, PatchArray]:
        if shard not in self._opened:
            with self._opening:  # numpy parses a header as Python, at which two threads can break
                self._opened[shard] = self._open_shard(shard)
        return self._opened[shard]

    def _check(self, shard: int) -> tuple[int, int]:
        """Compares a shard's files with the index; returns (patch_size, scale).

        Two of its pairs are read: a shard of another run seldom has another size.
        """
        listed, arrays = np.flatnonzero(self._shards == shard), self._open_shard(shard)
        rows, sides = self._rows[listed], []
        for path, array in zip(self._paths(shard), arrays, strict=True):
            shape = array.shape
            if array.dtype != np.uint8 or len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3:
                raise DataError(
                    f"{path}: holds no patches (found {array.dtype} {shape}); {RERUN_HINT}"
                )
            if shape[0] != len(rows) or set(rows) != set(range(len(rows))):
                wanted = max(len(rows), int(rows.max()) + 1)
                raise DataError(
                    f"{path}: does not fit the index (found {shape[0]}, not {wanted}); {RERUN_HINT}"
                )
            sides.append(shape[1])
        if sides[0] % sides[1]:
            raise DataError(
                f"{path}: {sides[0]} HR pixels are no multiple of {sides[1]} LR ones; {RERUN_HINT}"
            )
        for row in (listed[0], listed[-1]):
            self._compare(int(row), arrays)
        return sides[1], sides[0] // sides[1]

    def _compare(self, row: int, arrays: tuple[PatchArray, PatchArray]) -> None:
        place, shard = int(self._rows[row]), int(self._shards[row])
        hr, lr = arrays
        if _crc32(hr[place], lr[place]) != self._index["crc32"][row]:
            first, second = self._paths(shard)
            raise DataError(
                f"{first}: its row {place} or that of {second.name} is not what the index says "
                f"(changed, or of another run); {RERUN_HINT}"
            )

    def __len__(self) -> int:
        return len(self._rows)

    def pair(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Row `row` of the index: HR (scale p, scale p, 3) and LR (p, p, 3), read-only."""
        hr, lr = self._arrays(int(self._shards[row]))
        place = int(self._rows[row])
        return hr[place], lr[place]

    def verify(self) -> None:
        """Reads everything and compares checksums.

        Raises:
            DataError: A patch has changed; names its shard.
        """
        for row in range(len(self)):
            self._compare(row, self._arrays(int(self._shards[row])))

    def record(self, row: int) -> Row:
        """Row `row` of the index."""
        line = self._index.iloc[row]
        return Row(
            photo=str(line["photo"]),
            split=str(line["split"]),
            shard=int(line["shard"]),
            row=int(line["row"]),
            reduced_to=float(line["reduced_to"]),
            top=int(line["top"]),
            left=int(line["left"]),
            sharpness=float(line["sharpness"]),
            crc32=int(line["crc32"]),
        )

    def digest(self) -> str:
        """SHA-256 of the index, whose checksums cover every patch."""
        return hashlib.sha256((self.folder / INDEX).read_bytes()).hexdigest()
