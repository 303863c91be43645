"""Pairs of HR and LR pictures by their names."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath


def _base_name(name: str, scale: int) -> str:
    """The name without the suffixes of LR and HR: 0801 of 0801x4 (DIV2K), a of a_HR."""
    return re.sub(rf"(?:[_-]?x{scale}|[_-](?:HR|GT|LR|LRBI))+$", "", name, flags=re.IGNORECASE)


def _keys(name: str, scale: int) -> tuple[str, str, str]:
    stem = str(PurePosixPath(name).with_suffix(""))
    return name, stem, _base_name(stem, scale)


def pair_by_name(hr: Iterable[str], lr: Iterable[str], *, scale: int) -> dict[str, str]:
    """The LR picture of each HR picture that has one, by paths with forward slashes.

    It has the same name; or else the same without the file's suffix; or else the same without
    suffixes such as x4 and _LR, too. Of two LR pictures that fit alike none is taken.
    """
    found: dict[tuple[int, str], list[str]] = {}
    for name in lr:
        for level in enumerate(_keys(name, scale)):
            found.setdefault(level, []).append(name)
    pairs = {}
    for name in hr:
        fitting = next((f for key in enumerate(_keys(name, scale)) if (f := found.get(key))), [])
        if len(fitting) == 1:
            pairs[name] = fitting[0]
    return pairs
