"""Writes a patch store: shards, and the index last."""

import hashlib
import zlib
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from types import TracebackType

from srmodels.atomic import write_table
from srmodels.data.store.files import Layout, shard_paths
from srmodels.data.store.index import INDEX, PhotoPatches, Row
from srmodels.data.store.npy import NpyWriter
from srmodels.data.store.webp import WebpWriter


def shard_of(photo: str, shards: int) -> int:
    """The shard of a photograph, a hash of its name: more photographs move none."""
    digest = hashlib.sha256(photo.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % shards


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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
