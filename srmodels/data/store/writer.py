"""Writing patches: shards that appear under their names only when they are complete."""

import hashlib
import zlib
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from types import TracebackType

from srmodels.atomic import write_table
from srmodels.data.store.files import Layout, shard_paths
from srmodels.data.store.index import PhotoPatches
from srmodels.data.store.npy import NpyWriter
from srmodels.data.store.reader import INDEX, Row
from srmodels.data.store.webp import WebpWriter

__all__ = ["ShardWriter", "shard_of", "write_index"]


def shard_of(photo: str, shards: int) -> int:
    """The shard a photograph belongs to: by its name, so others move nothing."""
    digest = hashlib.sha256(photo.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % shards


class ShardWriter:
    """Writes one shard's pair of files; they appear under their names only when complete.

    Args:
        folder: Where to.
        shard: The shard's number.
        patch_size: LR pixels.
        scale: HR over LR.
        store: "raw" (fast to read) or "webp" (small).
    """

    def __init__(
        self, folder: Path, shard: int, *, patch_size: int, scale: int, store: Layout = "raw"
    ) -> None:
        kind = NpyWriter if store == "raw" else WebpWriter
        hr, lr = shard_paths(folder, shard, store)
        self._shard = shard
        self._hr = kind(hr, (patch_size * scale, patch_size * scale, 3))
        self._lr = kind(lr, (patch_size, patch_size, 3))

    def __enter__(self) -> "ShardWriter":
        return self

    def add(self, photo: str, cut: PhotoPatches, reduced_to: float = 1.0) -> list[Row]:
        """Appends patches of a photograph and returns their rows of the index."""
        start = self._hr.rows
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
        for array in (self._hr, self._lr):
            if kind is None and self._hr.rows:
                array.finish()
            else:
                array.discard()


def write_index(rows: list[Row], folder: Path) -> None:
    """Writes FOLDER/index.csv, last and at once: a store without it is not complete."""
    part = folder / f"{INDEX}.part"
    columns = [field.name for field in fields(Row)]
    write_table(part, columns, map(attrgetter(*columns), rows))  # `astuple` copies, and is slow
    part.replace(folder / INDEX)
