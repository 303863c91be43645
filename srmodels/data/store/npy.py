"""A `.npy` file that grows row by row; NumPy reserves space in the header for the row count."""

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

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
        """Renames the complete file."""
        self._finish()

    def _finish(self, appendix: NDArray[np.int64] | None = None) -> None:
        end = self._file.tell()
        if appendix is not None:
            np.lib.format.write_array(self._file, appendix, allow_pickle=False)
        self._file.seek(0)
        self._write_header()
        assert end - self._file.tell() == self._length * math.prod(self._shape), "the header grew"
        self._file.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Deletes the unfinished file."""
        self._file.close()
        self._part.unlink(missing_ok=True)
