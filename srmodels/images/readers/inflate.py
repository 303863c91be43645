"""Deflated data with a bound on its size, so that a small file cannot fill the memory."""

import zlib
from collections.abc import Iterable

from srmodels.errors import PhotoError

__all__ = ["count_inflated", "inflate"]

_PIECE = 2**20


def inflate(data: bytes, limit: int) -> bytes:
    """Decompresses; raises PhotoError for more than `limit` bytes, zlib.error for damaged data."""
    stream = zlib.decompressobj()
    result = stream.decompress(data, limit)
    if not stream.eof and stream.decompress(stream.unconsumed_tail, 1):
        raise PhotoError(f"inflates to more than {limit} bytes")
    return result


def count_inflated(parts: Iterable[bytes], limit: int) -> tuple[int, bool]:
    """How many bytes the parts of one stream inflate to, counted up to `limit`, and if it ended.

    Raises zlib.error for damaged data.
    """
    stream, count = zlib.decompressobj(), 0
    for part in parts:
        data = part
        while data and not stream.eof:
            if count > limit:
                return count, False
            count += len(stream.decompress(data, _PIECE))
            data = stream.unconsumed_tail
    while not stream.eof and count <= limit:  # output that was held back
        piece = stream.decompress(stream.unconsumed_tail, _PIECE)
        if not piece:
            break
        count += len(piece)
    return count, stream.eof
