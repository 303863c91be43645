"""Resolves `data.photos` into folders: a defined set, a folder, or a mix of several.

The definitions of a set are data/NAME/*.yaml; its archives are downloaded and unpacked once into a
cache outside the repository. DVC watches data/NAME, the given folder, or the members of a mix.
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

log = logging.getLogger(__name__)

MIX = "mix"
_HR, _LR = "_HR", "_LR_bicubic"  # the folder names of DIV2K and Flickr2K


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """A folder of photographs."""

    name: str  # prefix of the photographs' names; '' for a single folder
    folder: Path  # absolute
    splits: tuple[str, ...]  # that its photographs may go to, in the order of SPLITS
    lr: Path | None  # the folder of official LR pictures, if wanted


def set_names(data: Path) -> list[str]:
    """The names of the defined sets, sorted."""
    return sorted({path.parent.name for path in data.glob("*/*.yaml")} - {MIX})


def members_of(data: Path) -> dict[str, str]:
    """Reads the members of the mix, DATA/mix/mix.yaml: by name, a set's name or a folder."""
    path = data / MIX / f"{MIX}.yaml"
    values = read_yaml(path)
    members = values.get(MIX) if isinstance(values, dict) else None
    hint = f"Name each member, as in {MIX}: {{div2k: div2k, mine: /path/to/photographs}}"
    if not isinstance(members, dict) or not members:
        raise DataError(f"{path}: lists no photographs (got {members!r}). {hint}")
    for name, member in members.items():
        plain = isinstance(name, str) and name.replace("_", "a").replace("-", "a").isalnum()
        if not plain or not isinstance(member, str) or member in ("auto", MIX):
            raise DataError(f"{path}: is no member of a mix (got {name!r}: {member!r}). {hint}")
    return dict(members)


def resolve_folders(photos: str, *, data: Path, scale: int, official_lr: bool) -> list[ImageFolder]:
    """Returns the folders of `data.photos`; downloads and unpacks what is missing.

    `photos` is a set's name, `mix` or a folder, absolute or relative to the folder `data`; `scale`
    is that of the official LR pictures, which are used if `official_lr` is set. A DataError if
    there is no such set or folder, a download or archive is faulty, or no folder has official LR.
    """
    if photos == MIX:
        folders = [
            replace(folder, name=f"{name}/{folder.name}" if folder.name else name)
            for name, member in members_of(data).items()
            for folder in _resolve(
                member, data, scale, official_lr, f"{data / MIX}/{MIX}.yaml: {name}"
            )
        ]
    else:
        folders = _resolve(photos, data, scale, official_lr, "data.photos")
        if len(folders) == 1:
            folders = [replace(folders[0], name="")]
    without_lr = [folder for folder in folders if folder.lr is None]
    if official_lr and len(without_lr) == len(folders):
        raise DataError(
            f"data.lr: no official LR at scale {scale} belongs to {photos} (got none beside "
            f"{folders[0].folder}). Set data.lr to bicubic, which makes LR from HR."
        )
    for folder in without_lr if official_lr else ():
        log.info("%s: no official LR at scale %d; making LR from HR", folder.folder, scale)
    return folders


def resolve_source(name: str, source: str, *, data: Path) -> ImageFolder:
    """Returns one folder of a set, by its name in the definition; downloads only its archive."""
    (definition,) = (read_definition(path) for path in (data / name).glob("*.yaml"))
    only = replace(definition, sources={source: definition.sources[source]})
    return _resolve_definitions([only], data, 1, official_lr=False)[0]


def official_lr_of(source: ImageFolder, path: Path, scale: int) -> Path | None:
    """The official LR picture of a photograph, such as X4/0001x4.png of 0001.png, or None."""
    if source.lr is None:
        return None
    lr = source.lr / path.relative_to(source.folder).parent / f"{path.stem}x{scale}{path.suffix}"
    return lr if lr.is_file() else None


def _resolve(
    photos: str, data: Path, scale: int, official_lr: bool, where: str
) -> list[ImageFolder]:
    folder = data / photos
    in_data = folder.parent == data
    paths = sorted(folder.glob("*.yaml")) if in_data else []
    if paths:
        definitions = [read_definition(path) for path in paths]
        return _resolve_definitions(definitions, data, scale, official_lr)
    if folder.is_dir():
        lr = _lr_folder_beside(folder.resolve(), scale) if official_lr else None
        return [ImageFolder("", folder.resolve(), SPLITS, lr)]
    names = ["auto", MIX, *set_names(data)] if where == "data.photos" else set_names(data)
    if in_data:
        raise DataError(f"{one_of(where, photos, names)}, or give the absolute path of a folder.")
    raise DataError(
        f"{where}: {folder} is no folder (got {photos!r}). Give the absolute path of a folder of "
        f"photographs, or one of {', '.join(names)}."
    )


def _lr_folder_beside(folder: Path, scale: int) -> Path | None:
    """The LR folder of a copy of DIV2K or Flickr2K in the folders of its archives."""
    if not folder.name.endswith(_HR):
        return None
    lr = folder.with_name(folder.name.removesuffix(_HR) + _LR) / f"X{scale}"
    return lr if lr.is_dir() else None


def _resolve_definitions(
    definitions: list[Definition], data: Path, scale: int, official_lr: bool
) -> list[ImageFolder]:
    """Collects the errors of all archives, so that a user offline learns of every file at once."""
    cache = cache_folder(data.resolve().parent)
    folders, errors = [], dict[str, str]()

    def unpacked(definition: Definition, name: str, inner: str) -> Path:
        target = cache / "unpacked" / name / inner
        if name not in errors:
            try:
                _ensure_unpacked(target, cache / name, definition.archives[name], inner)
            except DataError as error:
                errors[name] = str(error)
        return target

    for definition in definitions:
        sources = definition.sources.items()
        if not any((cache / "unpacked" / source.archive).exists() for _, source in sources):
            log.info("%s", definition.about.strip())
        for name, source in sources:
            folder = unpacked(definition, source.archive, source.folder)
            lr = source.lr.get(scale) if official_lr else None
            lr_folder = (
                unpacked(definition, lr.archive or source.archive, lr.folder) if lr else None
            )
            folders.append(ImageFolder(name, folder, source.splits, lr_folder))
    if errors:
        raise DataError("\n".join(errors.values()))
    return folders


def _ensure_unpacked(target: Path, path: Path, archive: Archive, inner: str) -> None:
    # first without the lock: a complete cache may be read-only
    if not is_unpacked(target, path, sha256=trusted_digest(path, archive)):
        with cache_lock(path):
            if not is_unpacked(target, path, sha256=trusted_digest(path, archive)):
                unpack(path, inner, target, sha256=fetch(path, archive))
