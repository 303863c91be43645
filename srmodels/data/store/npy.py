"""A `.npy` file that grows row by row; numpy leaves room in the header for the count."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["NpyWriter"]

# For a write of megabytes the kernel takes its largest free blocks of memory, which a virtual
# machine has handed back to its host: 18 ms for a photograph's patches, and 3 to 9 in small pieces.
_PIECE = 48 * 1024


class NpyWriter:
    """Writes an array of uint8; it appears under its name only when it is complete.

    Args:
        path: The file.
        shape: Of a row.

    Attributes:
        rows: How many have been added.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.rows = 0
        self._path, self._shape = path, shape
        self._part = path.with_name(path.name + ".part")
        self._file: BinaryIO = self._part.open("wb")
        self._header()

    def _header(self) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.rows, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, header)

    def add(self, rows: NDArray[np.uint8]) -> None:
        """Appends rows, uint8 (N, *shape)."""
        assert rows.shape[1:] == self._shape, "one shape per shard"
        body = np.ascontiguousarray(rows).reshape(-1).data
        for start in range(0, len(body), _PIECE):
            self._file.write(body[start : start + _PIECE])
        self.rows += len(rows)

    def finish(self, then: NDArray[np.int64] | None = None) -> None:
        """Gives the file its name; `then` is a second array that follows the first."""
        body = self._file.tell()
        if then is not None:
            np.lib.format.write_array(self._file, then, allow_pickle=False)
        self._file.seek(0)
        self._header()
        assert self._file.tell() + self.rows * int(np.prod(self._shape)) == body, "the header grew"
        self._file.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Removes what has been written."""
        self._file.close()
        self._part.unlink(missing_ok=True)
