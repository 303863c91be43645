"""JPEG by libjpeg-turbo through simplejpeg, which reports missing data; Pillow hides it.

Pixels equal Pillow's. Harmless irregularities of cameras are repaired and noted; only an image that
then decodes without a warning is used. JPEG has no checksum, so a changed bit that is still a valid
code goes unnoticed.
"""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from simplejpeg import decode_jpeg

from srmodels.errors import PhotoError

__all__ = ["BAD_PROFILE", "NotCheckableError", "read_jpeg"]

BAD_PROFILE = "the parts of its colour profile do not fit together; taken as sRGB"

_COLOUR_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_MAX_SCANS = 500  # more make a small file take minutes; libjpeg-turbo's own limit in its tools
_READ_AHEAD = 8  # bytes of a run that the library holds already when it counts what is left
_MAX_STRAY = 2  # bytes; data lost or gained by damage is hardly ever so short
# Segments, ITU-T T.81, table B.1
_FRAMES, _SCAN, _END, _PROFILE, _ADOBE = (0xC0, 0xC1, 0xC2), 0xDA, 0xD9, 0xE2, 0xEE
# what ends compressed data: neither a stuffed byte nor a restart (section B.1.1.2)
_MARKER = re.compile(rb"\xff+([^\xff\x00\xd0-\xd7])", re.DOTALL)
_STRAY = re.compile(r"(\d+) extraneous bytes before marker 0x(..)")


class NotCheckableError(Exception):
    """simplejpeg does not know this kind of JPEG; Pillow may read it without checks."""


def _segments(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment; compressed data belongs to its scan."""
    at = 2
    while match := _MARKER.search(body, at):
        marker, start = match.group(1)[0], match.end() - 2
        at = match.end()
        if marker != _END:
            at += int.from_bytes(body[at : at + 2], "big")
        if marker == _SCAN:
            following = _MARKER.search(body, at)
            at = following.start() if following else len(body)
        yield marker, start, at
        if marker == _END:
            return


def _has_all_scans(body: bytes, segments: list[tuple[int, int, int]]) -> bool:
    """Whether every component's DC and AC values come down to the last bit (T.81, G.1.1.1)."""
    needed: set[tuple[int, str]] = set()
    for marker, start, _ in segments:
        if marker in _FRAMES:
            count = body[start + 9]
            needed = {(body[start + 10 + 3 * i], part) for i in range(count) for part in "DA"}
        elif marker == _SCAN:
            count = body[start + 4]
            names = body[start + 5 : start + 5 + 2 * count : 2]
            first, last, bits = body[start + 5 + 2 * count : start + 8 + 2 * count]
            parts = ("D" if first == 0 else "") + ("A" if last == 63 else "")
            if bits & 15 == 0:
                needed -= {(name, part) for name in names for part in parts}
    return not needed


def _without_stray_bytes(body: bytes, count: int, marker: int) -> bytes | None:
    """The file without `count` stray bytes before a marker; None if they may be image data."""
    segments = list(_segments(body))
    scans = [index for index, segment in enumerate(segments) if segment[0] == _SCAN]
    if not scans:
        return None
    if marker != _END:  # between the headers
        headers = b"".join(body[start:end] for _, start, end in segments[: scans[0]])
        repaired = body[:2] + headers + body[segments[scans[0]][1] :]
        return repaired if len(repaired) < len(body) else None
    if not _has_all_scans(body, segments):
        return None
    end = segments[-1][1]
    run = end - len(body[:end].rstrip(body[end - 1 : end]))
    few = count <= _MAX_STRAY and len(scans) == 1
    # a longer run was taken for data in part, so data is missing
    repairable = (few or run >= count) and run <= count + _READ_AHEAD
    return body[: end - count] + body[end:] if repairable else None


def _with_whole_scans(body: bytes) -> bytes:
    """Scans that say they hold all values, as those of a sequential JPEG do (T.81, table B.3)."""
    result = bytearray(body)
    for marker, start, _ in _segments(body):
        if marker == _SCAN:
            at = start + 5 + 2 * body[start + 4]
            result[at : at + 3] = (0, 63, 0)
    return bytes(result)


def _as_ycbcr(body: bytes) -> bytes:
    """Adobe's transform of four channels becomes that of three."""
    result = bytearray(body)
    for marker, start, end in _segments(body):
        if marker == _ADOBE and body[start + 4 : start + 9] == b"Adobe" and end > start + 15:
            result[start + 15] = 1
    return bytes(result)


def _repair(body: bytes, warning: str) -> tuple[bytes, str]:
    """The file without the irregularity of the library's warning, and a note about it."""
    if stray := _STRAY.search(warning):
        repaired = _without_stray_bytes(body, int(stray[1]), int(stray[2], 16))
        if repaired:
            return repaired, f"has stray bytes ({stray[1]}), which were left out"
    if "ICC marker" in warning:
        parts = [body[a:b] for marker, a, b in _segments(body) if marker != _PROFILE]
        return body[:2] + b"".join(parts), BAD_PROFILE
    if "Invalid SOS parameters" in warning:
        return _with_whole_scans(body), "has scan parameters that do not count in a sequential JPEG"
    if warning.endswith("Adobe color transform code 2"):  # which stands for YCCK, of four channels
        return _as_ycbcr(body), "has Adobe's mark of four channels and three; taken as YCbCr"
    if "end of JPEG file" in warning:
        if not body.endswith(b"\xff\xd9") and _has_all_scans(body, list(_segments(body))):
            return body + b"\xff\xd9", "has no end marker; its pixels are complete"
        raise PhotoError("is cut off: its last part is missing")
    if "end of data" in warning:
        raise PhotoError("is damaged: a part of it is missing")
    raise PhotoError(f"is damaged ({warning})")


def read_jpeg(body: bytes, mode: str, notes: list[str]) -> NDArray[np.uint8]:
    """Decodes the first image of a JPEG file of Pillow mode L, RGB or CMYK.

    Returns uint8 (H, W), (H, W, 3), or (H, W, 4) CMYK as stored, that is, inverted. Raises
    PhotoError if data is missing or damaged, NotCheckableError if only Pillow may read the file.
    """
    if b"\xff\xc2" in body:
        segments = list(_segments(body))
        scans = sum(marker == _SCAN for marker, _, _ in segments)
        if scans > _MAX_SCANS:
            raise PhotoError(f"has too many scans (got {scans}; {_MAX_SCANS} are allowed)")
        if segments[-1][0] == _END and not _has_all_scans(body, segments):
            notes.append("has no scans for its finest values; that may be on purpose")
    for _ in range(3):
        try:
            pixels: NDArray[np.uint8] = decode_jpeg(body, _COLOUR_SPACES[mode])
        except ValueError as error:
            if "subsampling level" in str(error) or "Unsupported" in str(error):
                raise NotCheckableError from None
            body, note = _repair(body, str(error))
            notes.append(note)
        else:
            return pixels[..., 0] if mode == "L" else pixels
    raise PhotoError("is damaged in several places")
