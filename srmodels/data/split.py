"""Training, validation or test: decided once, by photograph, never by patch."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

SPLITS = ("train", "validation", "test")
LEAST = {"test": 8, "validation": 4}  # photographs, where there are MANY and the share is not 0
MANY = 30
_PRIORITY = ("test", "validation", "train")


def hash_of(name: str) -> int:
    """64 bits of a hash of a name, the same on every machine."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big")


def _key(photo: str) -> str:
    # without the suffix: a photograph and its RAW share a split
    return str(PurePosixPath(photo).with_suffix("")).casefold()


def split_from_folder(photo: str) -> str | None:
    """The split that a photo's first folder names: train/, validation/ or test/; else None."""
    parts = PurePosixPath(photo).parts
    return parts[0] if len(parts) > 1 and parts[0] in SPLITS else None


def _merge_groups(names: Iterable[str], groups: Iterable[Collection[str]]) -> dict[str, list[str]]:
    """Photographs that share a split, by the smallest of their keys (union-find)."""
    parent = {_key(name): _key(name) for name in names}

    def find(key: str) -> str:
        while parent[key] != key:
            parent[key] = key = parent[parent[key]]
        return key

    for group in groups:
        roots = {find(_key(name)) for name in group}
        parent |= dict.fromkeys(roots, min(roots))
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
    """Gives every photograph its split, by its path relative to the folder.

    Folders named after the splits decide, elsewhere a hash of the name: a photograph keeps its
    split when others come or go. Only a split with fewer than `LEAST` photographs (of fewer than
    `MANY`: with none) takes those nearest to its share. `validation` and `test` are shares, 0 to
    1; `allowed` has the splits each photograph may have (None: that of its folder, else all). A
    group shares the split of its first name; if folders pull it apart, the free ones follow test
    before validation before train: see `cross_split_duplicates`.
    """
    names = list(photos)
    if allowed is None:
        allowed = {name: (split,) for name in names if (split := split_from_folder(name))}
    choices = {name: set(allowed.get(name, SPLITS)) for name in names}
    members = _merge_groups(names, groups)
    options = {
        key: _allowed_splits([choices[name] for name in group]) for key, group in members.items()
    }
    free = {key: splits for key, splits in options.items() if len(splits) > 1}
    hashes = {key: hash_of(key) / 2**64 for key in free}
    keys = sorted(free, key=lambda key: (hashes[key], key))
    shares = {"test": test, "validation": validation}
    splits = {key: _highest_priority(option) for key, option in options.items() if key not in free}
    splits |= {key: _choose(hashes[key], free[key], shares) for key in keys}
    _fill_small(splits, keys, free, shares)
    return {
        name: _highest_priority({splits[key]} & choices[name] or choices[name])
        for key, group in members.items()
        for name in group
    }


def _highest_priority(splits: Collection[str]) -> str:
    return next(split for split in _PRIORITY if split in splits)


def _allowed_splits(choices: Sequence[set[str]]) -> set[str]:
    """The splits that a whole group may have; if none, the one that its free members follow."""
    if common := set.intersection(*choices):
        return common
    fixed = [choice for choice in choices if len(choice) == 1]
    return {_highest_priority(set().union(*(fixed or choices)))}


def _choose(uniform: float, allowed: Collection[str], shares: Mapping[str, float]) -> str:
    """The allowed split in whose share of [0, 1) the hash lies."""
    end = 0.0
    for split in ("test", "validation"):
        end += shares[split] if split in allowed else 0.0
        if split in allowed and uniform < end:
            return split
    return "train" if "train" in allowed else _highest_priority(allowed)


def _fill_small(
    splits: dict[str, str],
    keys: Sequence[str],
    free: Mapping[str, Collection[str]],
    shares: Mapping[str, float],
) -> None:
    """Moves photographs to small splits: first to training, then to test, then to validation."""
    fixed = {split for key, split in splits.items() if key not in free}

    def fill(split: str, candidates: Sequence[str]) -> None:
        movable = [key for key in candidates if split in free[key]]
        least = LEAST[split] if len(splits) >= MANY else 1
        lacking = max(0, least - sum(value == split for value in splits.values()))
        if shares[split] > 0:
            splits.update(dict.fromkeys(movable[:lacking], split))

    trainable = [key for key in keys if "train" in free[key]]
    if trainable and "train" not in splits.values():
        splits[trainable[-1]] = "train"
    validation, train = ([k for k in keys if splits[k] == s] for s in ("validation", "train"))
    fill("test", validation + train[: None if "train" in fixed else -1])
    test, train = ([k for k in keys if splits[k] == s] for s in ("test", "train"))
    fill("validation", train[: None if "train" in fixed else -1] + test["test" not in fixed :])


def cross_split_duplicates(
    splits: Mapping[str, str], groups: Iterable[Collection[str]]
) -> dict[str, str]:
    """Photographs to leave out so that no group is in two splits, each with one that stays."""
    duplicates: dict[str, str] = {}
    for group in _merge_groups(splits, groups).values():
        stays = _highest_priority({splits[name] for name in group})
        first = min(name for name in group if splits[name] == stays)
        duplicates |= {name: first for name in group if splits[name] != stays}
    return duplicates
