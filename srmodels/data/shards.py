"""Reading patches: `.npy` shards of HR and LR, cut by photograph, and an index of their rows."""

import hashlib
import zlib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from srmodels.errors import DataError

__all__ = ["INDEX", "Row", "Store", "shard_paths"]

INDEX = "index.csv"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the index: one pair of patches.

    Attributes:
        photo: The photograph's name.
        split: train.
        shard: Number of the pair of files hr-SHARD.npy, lr-SHARD.npy.
        row: Place inside them.
        top: Of the box, LR pixels.
        left: Of the box, LR pixels.
        sharpness: Mean step between neighbouring HR pixels, of 255.
        crc32: Checksum of the HR patch's bytes followed by the LR patch's.
    """

    photo: str
    split: str
    shard: int
    row: int
    top: int
    left: int
    sharpness: float
    crc32: int


def shard_paths(folder: Path, shard: int) -> tuple[Path, Path]:
    """The files of a shard: HR and LR."""
    return folder / f"hr-{shard:03d}.npy", folder / f"lr-{shard:03d}.npy"


class Store:
    """Reads a folder of shards: checks the index against the files, maps a file when first used.

    Attributes:
        photos: Name of each row's photograph.
        patch_size: LR pixels.
        scale: HR over LR.

    Raises:
        DataError: The folder holds no complete store, or a shard does not fit the index.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = self._read_index()
        self.photos: list[str] = self._index["photo"].tolist()
        self._shards: NDArray[np.int64] = self._index["shard"].to_numpy(np.int64)
        self._rows: NDArray[np.int64] = self._index["row"].to_numpy(np.int64)
        shards, counts = np.unique(self._shards, return_counts=True)
        sizes = {self._check(int(s), int(n)) for s, n in zip(shards, counts, strict=True)}
        if len(sizes) != 1:
            raise DataError(f"{folder}: shards of different patch sizes (found {sorted(sizes)})")
        self.patch_size, self.scale = sizes.pop()
        self._arrays = cache(self._map)

    def _read_index(self) -> pd.DataFrame:
        path = self.folder / INDEX
        try:
            table = pd.read_csv(
                path,
                dtype={"photo": str, "split": str},
                keep_default_na=False,  # a photograph may be called NA
                encoding_errors="surrogateescape",
            )
        except FileNotFoundError:
            raise DataError(f"{path}: not found; run the stage `patches`") from None
        except (ValueError, pd.errors.ParserError) as error:
            raise DataError(f"{path}: is no index ({error}); run the stage `patches`") from None
        missing = {field.name for field in fields(Row)} - set(table.columns)
        if missing or not len(table):
            what = f"lacks {', '.join(sorted(missing))}" if missing else "is empty"
            raise DataError(f"{path}: {what}; run the stage `patches` again")
        return table

    def _check(self, shard: int, count: int) -> tuple[int, int]:
        """Compares a shard's headers and file sizes with the index; returns (patch_size, scale)."""
        sides = []
        for path in shard_paths(self.folder, shard):
            try:
                array = np.load(path, mmap_mode="r")
            except FileNotFoundError:
                raise DataError(f"{path}: not found, but the index lists it") from None
            except (OSError, ValueError, EOFError) as error:
                raise DataError(f"{path}: is damaged ({error}); run `patches` again") from None
            shape = array.shape
            if array.dtype != np.uint8 or len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3:
                raise DataError(f"{path}: holds no patches (found {array.dtype} {shape})")
            if shape[0] != count:
                raise DataError(f"{path}: does not fit the index (found {shape[0]}, not {count})")
            sides.append(shape[1])
        if sides[0] % sides[1]:
            raise DataError(f"{path}: {sides[0]} HR pixels are no multiple of {sides[1]} LR ones")
        return sides[1], sides[0] // sides[1]

    def _map(self, shard: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        # as plain arrays over the mapped memory: slicing numpy's own memmap class is slow
        hr, lr = (np.load(path, mmap_mode="r") for path in shard_paths(self.folder, shard))
        return np.asarray(hr), np.asarray(lr)

    def __len__(self) -> int:
        return len(self._rows)

    def pair(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Row `row` of the index: HR (scale p, scale p, 3) and LR (p, p, 3), memory-mapped."""
        hr, lr = self._arrays(int(self._shards[row]))
        place = self._rows[row]
        return hr[place], lr[place]

    def verify(self) -> None:
        """Reads everything and compares checksums.

        Raises:
            DataError: A patch has changed; names its shard.
        """
        for row, stored in enumerate(self._index["crc32"]):
            hr, lr = self.pair(row)
            if zlib.crc32(lr.tobytes(), zlib.crc32(hr.tobytes())) != stored:
                path = shard_paths(self.folder, int(self._shards[row]))[0]
                raise DataError(f"{path}: its row {self._rows[row]} has changed; run `patches`")

    def digest(self) -> str:
        """SHA-256 of the index, whose checksums cover every patch."""
        return hashlib.sha256((self.folder / INDEX).read_bytes()).hexdigest()
