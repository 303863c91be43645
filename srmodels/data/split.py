"""Training, validation or test: decided once, by photograph, never by patch."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

__all__ = ["SPLITS", "assign_splits", "cross_split_duplicates", "split_from_folder"]

SPLITS = ("train", "validation", "test")
_PRIORITY = ("test", "validation", "train")


def _key(photo: str) -> str:
    # without its ending: a photograph and its RAW go the same way
    return str(PurePosixPath(photo).with_suffix("")).casefold()


def _place(key: str) -> float:
    """A fixed place in [0, 1) for a name, the same on every machine."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def split_from_folder(photo: str) -> str | None:
    """The split that a photo's first folder names: train/, validation/ or test/; else None."""
    parts = PurePosixPath(photo).parts
    return parts[0] if len(parts) > 1 and parts[0] in SPLITS else None


def _together(names: Iterable[str], groups: Iterable[Collection[str]]) -> dict[str, list[str]]:
    """The photographs that go the same way, by the smallest of their keys."""
    leader = {_key(name): _key(name) for name in names}

    def find(key: str) -> str:
        while leader[key] != key:
            leader[key] = key = leader[leader[key]]
        return key

    for group in groups:
        ends = {find(_key(name)) for name in group}
        leader |= dict.fromkeys(ends, min(ends))
    members: dict[str, list[str]] = {}
    for name in names:
        members.setdefault(find(_key(name)), []).append(name)
    return members


def assign_splits(
    photos: Iterable[str],
    *,
    validation: float,
    test: float,
    allowed: Mapping[str, Sequence[str]] | None = None,
    groups: Iterable[Collection[str]] = (),
) -> dict[str, str]:
    """Gives every photograph its split.

    Folders named after the splits decide. Where there are none a hash of the name does, so a
    photograph keeps its split when others come or go; the exception are folders so small that a
    split would stay empty: it then takes the photograph nearest to its share.

    A group goes where the first of its names goes. So a photograph that joins two groups, or comes
    first in one, may move them, and nothing else does.

    Args:
        photos: Paths relative to the folder, with forward slashes.
        validation: Share of the photographs, 0 to 1; 0: none.
        test: Share of the photographs, 0 to 1; 0: none.
        allowed: To which splits a photograph may go; None: to that of its folder, else to all.
        groups: Photographs that stay together. Where folders pull a group apart, those that are
            free follow the strongest of the others (test, validation, train): see
            `cross_split_duplicates`.
    """
    names = list(photos)
    if allowed is None:
        allowed = {name: (split,) for name in names if (split := split_from_folder(name))}
    open_to = {name: set(allowed.get(name, SPLITS)) for name in names}
    members = _together(names, groups)
    ways = {
        key: _allowed_splits([open_to[name] for name in group]) for key, group in members.items()
    }
    free = {key: way for key, way in ways.items() if len(way) > 1}
    places = {key: _place(key) for key in free}
    keys = sorted(free, key=lambda key: (places[key], key))
    shares = {"test": test, "validation": validation}
    splits = {key: _highest_priority(way) for key, way in ways.items() if key not in free}
    splits |= {key: _chosen(places[key], free[key], shares) for key in keys}
    _fill(splits, keys, free, shares)
    return {
        name: _highest_priority({splits[key]} & open_to[name] or open_to[name])
        for key, group in members.items()
        for name in group
    }


def _highest_priority(splits: Collection[str]) -> str:
    return next(split for split in _PRIORITY if split in splits)


def _allowed_splits(choices: Sequence[set[str]]) -> set[str]:
    """The splits that all of a group may go to; if there is none, the one that others follow."""
    if common := set.intersection(*choices):
        return common
    fixed = [choice for choice in choices if len(choice) == 1]
    return {_highest_priority(set().union(*(fixed or choices)))}


def _chosen(place: float, way: Collection[str], shares: Mapping[str, float]) -> str:
    """The split at a place in [0, 1), among those that are allowed."""
    end = 0.0
    for split in ("test", "validation"):
        end += shares[split] if split in way else 0.0
        if split in way and place < end:
            return split
    return "train" if "train" in way else _highest_priority(way)


def _fill(
    splits: dict[str, str],
    keys: Sequence[str],
    free: Mapping[str, Collection[str]],
    shares: Mapping[str, float],
) -> None:
    """Sees that no split stays empty: training comes first, then test, then validation."""
    fixed = {split for key, split in splits.items() if key not in free}

    def first(split: str, givers: Sequence[str]) -> None:
        able = [key for key in givers if split in free[key]]
        if able and shares[split] > 0 and split not in splits.values():
            splits[able[0]] = split

    if "train" not in splits.values() and (able := [key for key in keys if "train" in free[key]]):
        splits[able[-1]] = "train"
    validation, train = ([k for k in keys if splits[k] == s] for s in ("validation", "train"))
    first("test", validation + train[: None if "train" in fixed else -1])
    test, train = ([k for k in keys if splits[k] == s] for s in ("test", "train"))
    first("validation", train[: None if "train" in fixed else -1] + test["test" not in fixed :])


def cross_split_duplicates(
    splits: Mapping[str, str], groups: Iterable[Collection[str]]
) -> dict[str, str]:
    """The photographs to leave out so that no group is on both sides: test wins, then validation.

    A photograph that is left out takes its RAW with it.

    Returns:
        By the name of each photograph to leave out, one of its group that stays.
    """
    left_out: dict[str, str] = {}
    for group in _together(splits, groups).values():
        stays = _highest_priority({splits[name] for name in group})
        first = min(name for name in group if splits[name] == stays)
        left_out |= {name: first for name in group if splits[name] != stays}
    return left_out
