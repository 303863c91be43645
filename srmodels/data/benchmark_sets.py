"""The test sets on which the field reports scores, by name.

They are looked for in a folder first. Downloaded are the two that belong to a set defined in data/,
with an address and a digest; of the others no digest has been published, and none is guessed.
"""

from pathlib import Path

from srmodels.data.cache import FOLDER_VARIABLE, cache_folder
from srmodels.data.listing import photo_files
from srmodels.data.sets import single_source
from srmodels.errors import DataError

__all__ = ["SETS", "find_set"]

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
