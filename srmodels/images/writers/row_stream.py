"""Images passed on row by row: the size is known, the rows are still being computed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from srmodels.images.colour import Pixels
from srmodels.images.metadata import Metadata

__all__ = ["RowBuffer", "RowChunks", "RowStream", "fill_rows", "row_stream"]

Value = TypeVar("Value", bound=np.generic)
RowChunks = Iterator[Pixels]  # (rows, W, C) from top to bottom, of different heights


def fill_rows(array: NDArray[Value], bands: Iterable[NDArray[Value]]) -> NDArray[Value]:
    """Copies bands of rows into (H, ...), from top to bottom, and returns the array."""
    done = 0
    for band in bands:
        array[done : done + len(band)] = band
        done += len(band)
    assert done == len(array), f"got {done} rows of {len(array)}"
    return array


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStream:
    """An image in bands of rows."""

    height: int
    width: int
    channels: int  # 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha (not premultiplied)
    bits: int  # 8 or 16
    bands: RowChunks  # can be read once
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        """The type of a value."""
        return np.uint8 if self.bits == 8 else np.uint16

    @property
    def row_bytes(self) -> int:
        """The size of a row."""
        return self.width * self.channels * self.bits // 8

    def to_array(self) -> Pixels:
        """Reads all rows, (H, W, C)."""
        return fill_rows(np.empty((self.height, self.width, self.channels), self.dtype), self.bands)


def row_stream(pixels: Pixels, metadata: Metadata | None = None) -> RowStream:
    """An image in memory, (H, W, C), as a stream."""
    height, width, channels = pixels.shape
    return RowStream(
        height=height,
        width=width,
        channels=channels,
        bits=8 * pixels.itemsize,
        bands=iter([pixels]),
        metadata=metadata or Metadata(),
    )


class RowBuffer:
    """A window of rows over bands that can be read once."""

    def __init__(self, bands: RowChunks) -> None:
        self._bands, self._first, self._rows = bands, 0, next(bands)

    def rows(self, first: int, end: int) -> Pixels:
        """Rows `first` to `end`; drops the rows before them."""
        parts, last = [self._rows[first - self._first :]], self._first + len(self._rows)
        while last < end:
            parts.append(next(self._bands))
            last += len(parts[-1])
        self._rows = np.concatenate(parts) if len(parts) > 1 else parts[0]
        self._first = first
        return self._rows[: end - first]
