"""The test sets on which the field reports scores, by name.

They are looked for in a folder first. Downloaded are the two that belong to a set defined in data/,
with an address and a digest; of the others no digest has been published, and none is guessed.

LR pictures that come with HR ones, paired by name.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srmodels.cache import FOLDER_VARIABLE, cache_folder
from srmodels.data.datasets.catalog import single_source
from srmodels.errors import DataError
from srmodels.images.readers.folder import photo_files, whole_images

__all__ = ["SETS", "find_set", "lr_pictures"]

SETS = {"Set5": 5, "Set14": 14, "BSD100": 100, "Urban100": 100, "DIV2K-val": 100}

"""How many pictures each has."""

_DEFINED = {"BSD100": ("bsds", "bsds_val"), "DIV2K-val": ("div2k", "DIV2K_valid_HR")}


def find_set(given: str, *, data: Path) -> tuple[str, Path]:
    """The HR pictures of a test set.

    Args:
        given: A folder, or one of SETS in any case; a folder of that name in the working directory
            is that folder.
        data: The project's folder of data.

    Returns:
        The set's name and its folder.

    Raises:
        DataError: There is no such folder or set, it is nowhere to be found, or it has not as many
            pictures as it should.
    """
    folder = Path(given).expanduser()
    if folder.is_dir():
        return folder.resolve().name or "pictures", folder
    name = {each.casefold(): each for each in SETS}.get(given.casefold())
    if name is None:
        raise DataError(
            f"{given}: no such folder; a folder of pictures is right, or one of {', '.join(SETS)}"
        )
    return name, _counted(name, _found(name, data))


def _found(name: str, data: Path) -> Path:
    homes = data.resolve(), cache_folder(data.resolve().parent)
    places = [home / inner / name for home in homes for inner in ("", "benchmarks")]
    for place in places:
        if place.is_dir():
            return place / "HR" if (place / "HR").is_dir() else place
    if name in _DEFINED:
        return single_source(*_DEFINED[name], data=data).folder
    raise DataError(
        f"{name}: not found (looked for {', '.join(map(str, places))}); put its {SETS[name]} HR "
        f"pictures into one of these, set {FOLDER_VARIABLE} to the folder that holds {name}, or "
        "give the folder itself"
    )


def _counted(name: str, folder: Path) -> Path:
    count = len(photo_files(folder))
    if count != SETS[name]:
        raise DataError(
            f"{folder}: is not {name} (found {count} pictures); its {SETS[name]} HR pictures alone "
            "are right, or give the folder itself"
        )
    return folder


Picture = NDArray[np.uint8]

_LISTED = 5


def _bare(name: str, scale: int) -> str:
    """A name without what tells LR from HR: 0801 of 0801x4 (DIV2K), a of a_HR or a_LRBI_x4."""
    return re.sub(rf"(?:[_-]?x{scale}|[_-](?:HR|GT|LR|LRBI))+$", "", name, flags=re.IGNORECASE)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def lr_pictures(names: Sequence[str], folder: Path, *, scale: int) -> dict[str, Picture]:
    """The LR pictures of a folder, by the names of their HR pictures.

    Args:
        names: Of the HR pictures, as `whole_images` names them.
        folder: Of as many LR pictures, with the same names, or with the suffix x and the scale.
        scale: HR over LR.

    Raises:
        DataError: There is no such folder, or some have no partner; lists them.
        PhotoError: A picture cannot be decoded.
    """
    small = dict(whole_images(folder))
    pairs = {name: name for name in names if name in small}
    others = {_bare(name, scale): name for name in small if name not in pairs}
    for name in names:
        if name not in pairs and (partner := others.get(_bare(name, scale))) is not None:
            pairs[name] = partner
    without = [name for name in names if name not in pairs]
    left = sorted(small.keys() - pairs.values())
    if without or left:
        found = [f"no LR for {_some(without)}"] if without else []
        found += [f"no HR for {_some(left)}"] if left else []
        raise DataError(
            f"{folder}: LR and HR do not pair by name (found {'; '.join(found)}); equal names are "
            f"right, LR's with x{scale} behind them or without"
        )
    return {name: small[pairs[name]] for name in names}
