"""Reads a patch store: pairs of HR and LR patches in shards, listed by an index."""

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


class PatchStore:
    """A folder of shards, checked against its index; a shard is mapped at its first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = read_index(folder)
        self.photos: list[str] = self._index["photo"].tolist()
        self._shards: NDArray[np.int64] = self._index["shard"].to_numpy(np.int64)
        self._rows: NDArray[np.int64] = self._index["row"].to_numpy(np.int64)
        self._opened: dict[int, tuple[PatchArray, PatchArray]] = {}
        self._lock = Lock()
        sizes = {self._check_shard(int(shard)) for shard in np.unique(self._shards)}
        if len(sizes) != 1:
            raise DataError(
                f"{folder}: shards of different patch sizes (got {sorted(sizes)}). {RERUN_HINT}"
            )
        self.patch_size, self.scale = sizes.pop()

    def _paths(self, shard: int) -> tuple[Path, Path]:
        raw, webp = (shard_paths(self.folder, shard, layout) for layout in get_args(Layout))
        return webp if webp[0].exists() else raw

    def _open_shard(self, shard: int) -> tuple[PatchArray, PatchArray]:
        hr, lr = self._paths(shard)
        return open_patches(hr), open_patches(lr)

    def _arrays(self, shard: int) -> tuple[PatchArray, PatchArray]:
        if shard not in self._opened:
            with self._lock:  # NumPy's parser of headers is not thread-safe in Python 3.11
                self._opened[shard] = self._open_shard(shard)
        return self._opened[shard]

    def _check_shard(self, shard: int) -> tuple[int, int]:
        """Compares a shard's sizes, its first and last pair with the index; (patch_size, scale)."""
        listed, arrays = np.flatnonzero(self._shards == shard), self._open_shard(shard)
        rows, sides = self._rows[listed], []
        for path, array in zip(self._paths(shard), arrays, strict=True):
            shape = array.shape
            if array.dtype != np.uint8 or len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3:
                raise DataError(
                    f"{path}: holds no patches (got {array.dtype} {shape}). {RERUN_HINT}"
                )
            if shape[0] != len(rows) or set(rows) != set(range(len(rows))):
                expected = max(len(rows), int(rows.max()) + 1)
                raise DataError(
                    f"{path}: does not fit the index (got {shape[0]} rows, not {expected}). "
                    f"{RERUN_HINT}"
                )
            sides.append(shape[1])
        if sides[0] % sides[1]:
            raise DataError(
                f"{path}: HR's side is no multiple of LR's (got {sides[0]} and {sides[1]} pixels). "
                f"{RERUN_HINT}"
            )
        for row in (listed[0], listed[-1]):
            self._check_row(int(row), arrays)
        return sides[1], sides[0] // sides[1]

    def _check_row(self, row: int, arrays: tuple[PatchArray, PatchArray]) -> None:
        place, shard = int(self._rows[row]), int(self._shards[row])
        hr, lr = (array[place].tobytes() for array in arrays)
        if zlib.crc32(lr, zlib.crc32(hr)) != self._index["crc32"][row]:
            hr_path, lr_path = self._paths(shard)
            raise DataError(
                f"{hr_path}: its row {place} or that of {lr_path.name} is not what the index says "
                f"(got another checksum: changed, or of another run). {RERUN_HINT}"
            )

    def __len__(self) -> int:
        return len(self._rows)

    def pair(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The patches of a row: HR (scale p, scale p, 3) and LR (p, p, 3), read-only."""
        hr, lr = self._arrays(int(self._shards[row]))
        place = int(self._rows[row])
        return hr[place], lr[place]

    def verify(self) -> None:
        """Compares the checksum of every patch; a DataError names the shard of a changed one."""
        for row in range(len(self)):
            self._check_row(row, self._arrays(int(self._shards[row])))

    def record(self, row: int) -> Row:
        """A row of the index."""
        (values,) = self._index.iloc[[row]].to_dict("records")
        return Row(**{str(column): value for column, value in values.items()})

    def digest(self) -> str:
        """SHA-256 of the index, whose checksums cover every patch."""
        return hashlib.sha256((self.folder / INDEX).read_bytes()).hexdigest()
