"""The test sets on which the field reports scores, by name, and LR pictures paired by name.

Only the two sets that data/ defines with a digest are downloaded; the others have none published.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srmodels.cache import FOLDER_VARIABLE, cache_folder
from srmodels.data.datasets.catalog import resolve_source
from srmodels.data.datasets.pairs import pair_by_name
from srmodels.errors import DataError, listed
from srmodels.images.readers.folder import photo_files, whole_images

SETS = {"Set5": 5, "Set14": 14, "BSD100": 100, "Urban100": 100, "DIV2K-val": 100}
"""Number of pictures."""

_DEFINED = {"BSD100": ("bsds", "bsds_val"), "DIV2K-val": ("div2k", "DIV2K_valid_HR")}


def find_set(given: str, *, data: Path) -> tuple[str, Path]:
    """The name and the HR folder of a test set: a folder, or one of SETS in any case."""
    folder = Path(given).expanduser()
    if folder.is_dir():
        return folder.resolve().name or "pictures", folder
    name = {known.casefold(): known for known in SETS}.get(given.casefold())
    if name is None:
        raise DataError(
            f"{given}: no such folder. Give a folder of pictures, or one of {', '.join(SETS)}."
        )
    folder = _find_folder(name, data)
    count = len(photo_files(folder))
    if count != SETS[name]:
        raise DataError(
            f"{folder}: is not {name} (got {count} pictures). Put only the {SETS[name]} HR "
            "pictures there, or give the folder itself."
        )
    return name, folder


def _find_folder(name: str, data: Path) -> Path:
    roots = data.resolve(), cache_folder(data.resolve().parent)
    places = [root / inner / name for root in roots for inner in ("", "benchmarks")]
    for place in places:
        if place.is_dir():
            return place / "HR" if (place / "HR").is_dir() else place
    if name in _DEFINED:
        return resolve_source(*_DEFINED[name], data=data).folder
    raise DataError(
        f"{name}: not found (looked for {', '.join(map(str, places))}). Put its {SETS[name]} HR "
        f"pictures into one of these, set {FOLDER_VARIABLE} to the folder that holds {name}, or "
        "give the folder itself."
    )


def lr_pictures(names: Sequence[str], folder: Path, *, scale: int) -> dict[str, NDArray[np.uint8]]:
    """LR pictures of a folder by the names of HR, also with a suffix such as x4; all must pair."""
    lr = dict(whole_images(folder))
    pairs = pair_by_name(names, lr, scale=scale)
    without_lr = [name for name in names if name not in pairs]
    without_hr = sorted(lr.keys() - pairs.values())
    if without_lr or without_hr:
        problems = [f"no LR for {listed(without_lr)}"] if without_lr else []
        problems += [f"no HR for {listed(without_hr)}"] if without_hr else []
        raise DataError(
            f"{folder}: LR and HR do not pair by name (got {'; '.join(problems)}). Use equal "
            f"names, with or without x{scale} at the end of LR's."
        )
    return {name: lr[pairs[name]] for name in names}
