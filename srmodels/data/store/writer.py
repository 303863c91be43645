"""Writes a patch store: shards, and the index last."""

import io
import zlib
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.atomic import write_table
from srmodels.data.split import hash_of
from srmodels.data.store.files import Layout, shard_paths
from srmodels.data.store.index import INDEX, PhotoPatches, Row

# Megabytes at once take 18 ms for the patches of a photograph, pieces 3 to 9 ms: for a large write
# the kernel takes large free blocks, which a virtual machine has returned to its host.
_PIECE = 48 * 1024


class NpyWriter:
    """Writes a uint8 array, rows of one shape, to PATH.part; renames the file when complete."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._length = 0
        self._path, self._shape = path, shape
        # not `srmodels.atomic`: its fsync is slow for large files, and shards can be made again
        self._part = path.with_name(path.name + ".part")
        self._file: BinaryIO = self._part.open("wb")
        self._write_header()

    def _write_header(self) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": (self._length, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, header)

    def add(self, rows: NDArray[np.uint8]) -> None:
        """Appends rows, uint8 (N, *shape)."""
        assert rows.shape[1:] == self._shape, "one shape per shard"
        data = np.ascontiguousarray(rows).reshape(-1).data
        for start in range(0, len(data), _PIECE):
            self._file.write(data[start : start + _PIECE])
        self._length += len(rows)

    def finish(self) -> None:
        """Completes the header, in which NumPy reserves space for the row count; renames."""
        self._file.seek(0)
        self._write_header()
        self._file.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Deletes the unfinished file."""
        self._file.close()
        self._part.unlink(missing_ok=True)


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
        np.lib.format.write_array(self._file, np.array(self._offsets, np.int64))
        super().finish()


def shard_of(photo: str, shards: int) -> int:
    """The shard of a photograph, a hash of its name: more photographs move none."""
    return hash_of(photo) % shards


class ShardWriter:
    """Context manager that writes the two files of a shard; an error deletes both."""

    def __init__(
        self, folder: Path, shard: int, *, patch_size: int, scale: int, store: Layout = "raw"
    ) -> None:
        writer = NpyWriter if store == "raw" else WebpWriter
        hr, lr = shard_paths(folder, shard, store)
        self._shard, self._rows = shard, 0
        self._hr = writer(hr, (patch_size * scale, patch_size * scale, 3))
        self._lr = writer(lr, (patch_size, patch_size, 3))

    def __enter__(self) -> "ShardWriter":
        return self

    def add(self, photo: str, cut: PhotoPatches, reduced_to: float = 1.0) -> list[Row]:
        """Appends the patches of a photograph; returns their rows of the index."""
        start = self._rows
        self._rows += len(cut.hr)
        self._hr.add(cut.hr)
        self._lr.add(cut.lr)
        return [
            Row(
                photo=photo,
                split="train",
                shard=self._shard,
                row=start + offset,
                reduced_to=reduced_to,
                top=int(top),
                left=int(left),
                sharpness=float(cut.sharpness[offset]),
                crc32=zlib.crc32(cut.lr[offset].data, zlib.crc32(cut.hr[offset].data)),
            )
            for offset, (top, left) in enumerate(cut.boxes)
        ]

    def __exit__(self, kind: object, *_: object) -> None:
        for writer in (self._hr, self._lr):
            if kind is None and self._rows:
                writer.finish()
            else:
                writer.discard()


def write_index(rows: list[Row], folder: Path) -> None:
    """Writes FOLDER/index.csv; a store without it is incomplete."""
    columns = [field.name for field in fields(Row)]
    # attrgetter, because dataclasses.astuple is slow
    write_table(folder / INDEX, columns, map(attrgetter(*columns), rows))
