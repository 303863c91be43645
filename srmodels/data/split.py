"""Training, validation or test: decided once, by photograph, never by patch."""

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath

__all__ = ["SPLITS", "assign", "named_split"]

SPLITS = ("train", "validation", "test")


def _key(photo: str) -> str:
    # without its ending: a photograph and its RAW go the same way
    return str(PurePosixPath(photo).with_suffix("")).casefold()


def _place(key: str) -> float:
    """A fixed place in [0, 1) for a name, the same on every machine."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def named_split(photo: str) -> str | None:
    """The split that a photo's first folder names: train/, validation/ or test/; else None."""
    parts = PurePosixPath(photo).parts
    return parts[0] if len(parts) > 1 and parts[0] in SPLITS else None


def assign(photos: Iterable[str], *, validation: float, test: float) -> dict[str, str]:
    """Gives every photograph its split.

    Folders named after the splits decide. Where there are none a hash of the name does, so a
    photograph keeps its split when others come or go; the exception are folders so small that a
    split would stay empty: it then takes the photograph nearest to its share.

    Args:
        photos: Paths relative to the folder, with forward slashes.
        validation: Share of the photographs, 0 to 1; 0: none.
        test: Share of the photographs, 0 to 1; 0: none.
    """
    names = list(photos)
    named = {name: named_split(name) for name in names}
    places = {_key(name): _place(_key(name)) for name in names if named[name] is None}
    keys = sorted(places, key=lambda key: (places[key], key))
    splits = {
        key: "test"
        if places[key] < test
        else "validation"
        if places[key] < test + validation
        else "train"
        for key in keys
    }
    if not any(named.values()):
        _fill(splits, keys, validation=validation, test=test)
    return {name: named[name] or splits[_key(name)] for name in names}


def _fill(splits: dict[str, str], keys: list[str], *, validation: float, test: float) -> None:
    """Sees that no split stays empty: training comes first, then test, then validation."""
    if not keys:
        return
    if "train" not in splits.values():
        splits[keys[-1]] = "train"
    if test > 0 and len(keys) > 1 and "test" not in splits.values():
        splits[keys[0]] = "test"
    if validation > 0 and len(keys) > 2 and "validation" not in splits.values():
        free = [key for key in keys if splits[key] == "train"][:-1] or [
            key for key in keys if splits[key] == "test"
        ][1:]
        splits[free[0]] = "validation"
