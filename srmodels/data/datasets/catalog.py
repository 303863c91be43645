"""Which folders `data.photos` stands for: a set by its name, a folder, or a mix of several.

A set is a folder data/NAME of definitions; what it names is downloaded and unpacked once into a
cache outside the repository and used from there by every experiment. DVC watches the definitions
or the folder itself, because the stage `photos` depends on data/NAME or on the path as given; the
members of a mix are watched by the stage `mix`.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from srmodels.cache import cache_folder, cache_lock
from srmodels.config import one_of
from srmodels.data.datasets.archive import is_unpacked, unpack
from srmodels.data.datasets.definition import Archive, Definition, read_definition, read_yaml
from srmodels.data.datasets.download import fetch, trusted_digest
from srmodels.data.split import SPLITS
from srmodels.errors import DataError

__all__ = [
    "MIX",
    "ImageFolder",
    "members_of",
    "official_lr_of",
    "resolve_folders",
    "set_names",
    "single_source",
]

log = logging.getLogger(__name__)

MIX = "mix"
_HR, _LR = "_HR", "_LR_bicubic"  # the folder names of DIV2K and Flickr2K


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """A folder of photographs.

    Attributes:
        name: Goes before the photographs' names, as a folder does; '' when there is one source.
        folder: Absolute.
        splits: To which its photographs may go: some of SPLITS, in that order.
        lr: The folder of official LR pictures of the wanted scale; None: none, or none wanted.
    """

    name: str
    folder: Path
    splits: tuple[str, ...]
    lr: Path | None


def set_names(data: Path) -> list[str]:
    """The sets that are defined, in the order of their names."""
    return sorted({path.parent.name for path in data.glob("*/*.yaml")} - {MIX})


def members_of(data: Path) -> dict[str, str]:
    """The members of the mix: a set's name or a folder, by the name each goes by.

    Raises:
        DataError: DATA/mix/mix.yaml is no such list, or it is empty.
    """
    path = data / MIX / f"{MIX}.yaml"
    values = read_yaml(path)
    members = values.get(MIX) if isinstance(values, dict) else None
    right = f"give each member a name, as in {MIX}: {{div2k: div2k, mine: /path/to/photographs}}"
    if not isinstance(members, dict) or not members:
        raise DataError(f"{path}: lists no photographs (found {members!r}); {right}")
    for name, member in members.items():
        plain = isinstance(name, str) and name.replace("_", "a").replace("-", "a").isalnum()
        if not plain or not isinstance(member, str) or member in ("auto", MIX):
            raise DataError(f"{path}: is no member of a mix (found {name!r}: {member!r}); {right}")
    return dict(members)


def resolve_folders(photos: str, *, data: Path, scale: int, official_lr: bool) -> list[ImageFolder]:
    """The folders that `data.photos` stands for; downloads and unpacks what is missing.

    Args:
        photos: A set's name, `mix`, or a folder: absolute, or relative to `data`.
        data: The project's folder of data, which holds the definitions.
        scale: HR over LR, for the official LR.
        official_lr: Whether the LR pictures that came with the photographs are wanted too.

    Raises:
        DataError: There is no such set or folder, it cannot be fetched or unpacked, or official
            LR is wanted and there is none.
    """
    if photos == MIX:
        found = [
            replace(source, name=f"{name}/{source.name}" if source.name else name)
            for name, member in members_of(data).items()
            for source in _of(member, data, scale, official_lr, f"{data / MIX}/{MIX}.yaml: {name}")
        ]
    else:
        found = _of(photos, data, scale, official_lr, "data.photos")
        if len(found) == 1:
            found = [replace(found[0], name="")]
    without = [source for source in found if source.lr is None]
    if official_lr and len(without) == len(found):
        raise DataError(
            f"data.official_lr: no official LR at scale {scale} belongs to {photos} (found none "
            f"beside {found[0].folder}); set data.official_lr to false, and LR is made of HR"
        )
    for source in without if official_lr else ():
        log.info("%s: no official LR at scale %d; LR is made of HR", source.folder, scale)
    return found


def single_source(name: str, source: str, *, data: Path) -> ImageFolder:
    """One folder of a defined set; downloads and unpacks its archive alone, if that is missing.

    Args:
        name: The set's.
        source: The folder's, as the set's definition names it.
        data: As for `resolve_folders`.

    Raises:
        DataError: It cannot be fetched or unpacked.
    """
    (definition,) = (read_definition(path) for path in (data / name).glob("*.yaml"))
    only = replace(definition, sources={source: definition.sources[source]})
    return _of_definitions([only], data, 1, official_lr=False)[0]


def official_lr_of(source: ImageFolder, path: Path, scale: int) -> Path | None:
    """The official LR picture of a photograph, such as X4/0001x4.png of 0001.png; None: none."""
    if source.lr is None:
        return None
    lr = source.lr / path.relative_to(source.folder).parent / f"{path.stem}x{scale}{path.suffix}"
    return lr if lr.is_file() else None


def _of(photos: str, data: Path, scale: int, official_lr: bool, where: str) -> list[ImageFolder]:
    folder = data / photos
    definitions = sorted(folder.glob("*.yaml")) if folder.parent == data else []
    if definitions:
        return _of_definitions(
            [read_definition(path) for path in definitions], data, scale, official_lr
        )
    if folder.is_dir():
        lr = _lr_beside(folder.resolve(), scale) if official_lr else None
        return [ImageFolder("", folder.resolve(), SPLITS, lr)]
    names = ["auto", MIX, *set_names(data)] if where == "data.photos" else set_names(data)
    if folder.parent == data:
        raise DataError(f"{one_of(where, photos, names)}; or the absolute path of a folder")
    raise DataError(
        f"{where}: {folder} is no folder (found {photos!r}); give the absolute path of a folder of "
        f"photographs, or one of {', '.join(names)}"
    )


def _lr_beside(folder: Path, scale: int) -> Path | None:
    """The LR of a copy of DIV2K or Flickr2K that lies in the folders of its archives."""
    if not folder.name.endswith(_HR):
        return None
    lr = folder.with_name(folder.name.removesuffix(_HR) + _LR) / f"X{scale}"
    return lr if lr.is_dir() else None


def _of_definitions(
    definitions: list[Definition], data: Path, scale: int, official_lr: bool
) -> list[ImageFolder]:
    cache = cache_folder(data.resolve().parent)
    found, faults = [], dict[str, str]()  # all faults at once: who is offline learns of every file

    def folder_of(definition: Definition, name: str, inner: str) -> Path:
        target = cache / "unpacked" / name / inner
        if name not in faults:
            try:
                _see_unpacked(target, cache / name, definition.archives[name], inner)
            except DataError as error:
                faults[name] = str(error)
        return target

    for definition in definitions:
        sources = definition.sources.items()
        if not any((cache / "unpacked" / source.archive).exists() for _, source in sources):
            log.info("%s", definition.about.strip())
        for name, source in sources:
            folder = folder_of(definition, source.archive, source.folder)
            lr = source.lr.get(scale) if official_lr else None
            lr_folder = (
                folder_of(definition, lr.archive or source.archive, lr.folder) if lr else None
            )
            found.append(ImageFolder(name, folder, source.splits, lr_folder))
    if faults:
        raise DataError("\n".join(faults.values()))
    return found


def _see_unpacked(target: Path, path: Path, archive: Archive, inner: str) -> None:
    """Sees that a folder of the cache holds what lies in `inner` of an archive."""
    # first without the lock: a cache that is complete may be one that cannot be written to
    if not is_unpacked(target, path, sha256=trusted_digest(path, archive)):
        with cache_lock(path):
            if not is_unpacked(target, path, sha256=trusted_digest(path, archive)):
                unpack(path, inner, target, sha256=fetch(path, archive))
