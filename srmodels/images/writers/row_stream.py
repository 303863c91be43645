"""A result on its way to a file: its size is known, its rows are still to come."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from srmodels.images.colour import Pixels
from srmodels.images.metadata import Metadata

__all__ = ["RowBuffer", "RowChunks", "RowStream", "row_stream"]

RowChunks = Iterator[Pixels]  # (rows, W, C), from top to bottom; they differ in height


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStream:
    """A picture in rows.

    Attributes:
        height: Rows in all.
        width: Pixels a row.
        channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; alpha is not multiplied in.
        bits: 8 or 16.
        bands: Together the picture, uint8 or uint16; can be used up once.
        metadata: For the file.
    """

    height: int
    width: int
    channels: int
    bits: int
    bands: RowChunks
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def row_bytes(self) -> int:
        """Of one row."""
        return self.width * self.channels * self.bits // 8

    def whole(self) -> Pixels:
        """The picture in memory, (H, W, C)."""
        kind = np.uint8 if self.bits == 8 else np.uint16
        pixels: Pixels = np.empty((self.height, self.width, self.channels), kind)
        done = 0
        for band in self.bands:
            pixels[done : done + len(band)] = band
            done += len(band)
        assert done == self.height, f"{done} rows came of {self.height}"
        return pixels


def row_stream(pixels: Pixels, metadata: Metadata | None = None) -> RowStream:
    """A picture in memory, (H, W, C), as a sheet."""
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
    """The rows that are at hand of bands that come and go."""

    def __init__(self, bands: RowChunks) -> None:
        self._bands, self._first, self._rows = bands, 0, next(bands)

    def rows(self, first: int, end: int) -> Pixels:
        """Some rows of the picture; those before them are forgotten."""
        parts, last = [self._rows[first - self._first :]], self._first + len(self._rows)
        while last < end:
            parts.append(next(self._bands))
            last += len(parts[-1])
        self._rows = np.concatenate(parts) if len(parts) > 1 else parts[0]
        self._first = first
        return self._rows[: end - first]
