"""Writing patches: shards that appear under their names only when they are complete."""

import hashlib
import zlib
from dataclasses import astuple, fields
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from srmodels.data.cut import Cut
from srmodels.data.shards import INDEX, Row, shard_paths

__all__ = ["ShardWriter", "shard_of", "write_index"]


def shard_of(photo: str, shards: int) -> int:
    """The shard a photograph belongs to: by its name, so others move nothing."""
    digest = hashlib.sha256(photo.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % shards


class _Array:
    """A `.npy` file that grows row by row; numpy leaves room in the header for the count."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path, self.shape, self.rows = path, shape, 0
        self.part = path.with_name(path.name + ".part")
        self.file: BinaryIO = self.part.open("wb")
        self._header()

    def _header(self) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.rows, *self.shape)}
        np.lib.format.write_array_header_1_0(self.file, header)

    def add(self, rows: NDArray[np.uint8]) -> None:
        assert rows.shape[1:] == self.shape, "one shape per shard"
        self.file.write(np.ascontiguousarray(rows).data)
        self.rows += len(rows)

    def finish(self) -> None:
        body = self.file.tell()
        self.file.seek(0)
        self._header()
        assert self.file.tell() + self.rows * int(np.prod(self.shape)) == body, "the header grew"
        self.file.close()
        self.part.replace(self.path)


class ShardWriter:
    """Writes one shard's pair of files; they appear under their names only when complete.

    Args:
        folder: Where to.
        shard: The shard's number.
        patch_size: LR pixels.
        scale: HR over LR.
    """

    def __init__(self, folder: Path, shard: int, *, patch_size: int, scale: int) -> None:
        hr, lr = shard_paths(folder, shard)
        self._shard = shard
        self._hr = _Array(hr, (patch_size * scale, patch_size * scale, 3))
        self._lr = _Array(lr, (patch_size, patch_size, 3))

    def __enter__(self) -> "ShardWriter":
        return self

    def add(self, photo: str, cut: Cut) -> list[Row]:
        """Appends a photograph's patches and returns their rows of the index."""
        start = self._hr.rows
        self._hr.add(cut.hr)
        self._lr.add(cut.lr)
        return [
            Row(
                photo=photo,
                split="train",
                shard=self._shard,
                row=start + offset,
                top=int(top),
                left=int(left),
                sharpness=float(cut.sharpness[offset]),
                crc32=zlib.crc32(cut.lr[offset].data, zlib.crc32(cut.hr[offset].data)),
            )
            for offset, (top, left) in enumerate(cut.boxes)
        ]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for array in (self._hr, self._lr):
            if kind is None and self._hr.rows:
                array.finish()
            else:
                array.file.close()
                array.part.unlink(missing_ok=True)


def write_index(rows: list[Row], folder: Path) -> None:
    """Writes FOLDER/index.csv, last and at once: a store without it is not complete."""
    table = pd.DataFrame([astuple(row) for row in rows], columns=[f.name for f in fields(Row)])
    part = folder / f"{INDEX}.part"
    table.to_csv(part, index=False, lineterminator="\n", errors="surrogateescape")
    part.replace(folder / INDEX)
