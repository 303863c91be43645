"""The definition of a data set, data/NAME/*.yaml: its archives and their folders of photographs.

data/df2k holds links to the definitions of other sets, which DVC follows.
"""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from srmodels.config import check
from srmodels.data.split import SPLITS
from srmodels.errors import ConfigError, DataError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A file to download."""

    urls: tuple[str, ...]  # mirrors, tried in this order
    bytes: int = 0  # 0 if unknown
    sha256: str = ""  # if '', the first copy is trusted and its digest recorded
    md5: str = ""  # for archives without a published SHA-256

    def __post_init__(self) -> None:
        if not self.urls or not all(url.startswith(("http://", "https://")) for url in self.urls):
            raise ValueError("urls must be one or more addresses that begin with http or https")
        for name, length in (("sha256", 64), ("md5", 32)):
            digest = getattr(self, name)
            if digest and (len(digest) != length or set(digest) - set("0123456789abcdef")):
                raise ValueError(f"{name} must be {length} hexadecimal digits in lower case")


@dataclass(frozen=True, kw_only=True)
class LrFolder:
    """The LR pictures of one scale."""

    folder: str  # inside the archive, with forward slashes
    archive: str = ""  # file name; '' for the archive of the photographs


@dataclass(frozen=True, kw_only=True)
class PhotoFolder:
    """A folder of photographs inside an archive."""

    archive: str  # file name
    folder: str  # inside the archive, with forward slashes
    splits: tuple[str, ...]  # that its photographs may go to
    lr: dict[int, LrFolder] = field(default_factory=dict)  # official LR pictures by scale

    def __post_init__(self) -> None:
        if not self.splits or [split for split in SPLITS if split in self.splits] != [*self.splits]:
            raise ValueError(f"splits must be some of {', '.join(SPLITS)}, in that order")


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One definition file."""

    about: str  # content, authors and terms
    archives: dict[str, Archive]  # by file name
    sources: dict[str, PhotoFolder]  # by the prefix of the photographs' names

    def __post_init__(self) -> None:
        for name in (*self.archives, *self.sources):
            if PurePosixPath(name).name != name or name.startswith("."):
                raise ValueError(f"{name!r} must be a plain name, without a folder")
        for name in self.archives:
            if not name.endswith(SUFFIXES):
                raise ValueError(f"{name!r} must end with one of {', '.join(SUFFIXES)}")
        for source in self.sources.values():
            used = {source.archive, *(lr.archive or source.archive for lr in source.lr.values())}
            if unknown := used - self.archives.keys():
                raise ValueError(f"archives must hold {', '.join(sorted(unknown))}")


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Reads a YAML 1.2 file, as DVC does; a DataError if it cannot be read."""
    try:
        return YAML(typ="safe").load(path)
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise DataError(f"{path}: cannot be read as YAML (got {error}). Correct it.") from None


def read_definition(path: Path) -> Definition:
    """Reads a definition file; a DataError lists all wrong values."""
    try:
        return check(read_yaml(path), Definition, str(path))
    except ConfigError as error:
        raise DataError(str(error)) from None
