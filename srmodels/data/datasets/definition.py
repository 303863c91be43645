"""What a named data set is: data/NAME/*.yaml, its archives and the folders of photographs in them.

A set's folder may hold several definitions, or links to those of other sets (data/df2k does), so
that DVC, which follows links to files, sees every definition that a set rests on.
"""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from srmodels.config import check
from srmodels.data.split import SPLITS
from srmodels.errors import ConfigError, DataError

__all__ = [
    "ENDINGS",
    "Archive",
    "Definition",
    "LrFolder",
    "PhotoFolder",
    "read_definition",
    "read_yaml",
]

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A file to download.

    Attributes:
        urls: Addresses of the same file, tried in this order.
        bytes: Its size; 0: not known.
        sha256: Its digest; '': not known, then the first copy that arrives is trusted and its
            digest recorded.
        md5: An older digest, for archives of which only that has been published; '': not known.
    """

    urls: tuple[str, ...]
    bytes: int = 0
    sha256: str = ""
    md5: str = ""

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: An address is not http or https, or a digest is none.
        """
        if not self.urls or not all(url.startswith(("http://", "https://")) for url in self.urls):
            raise ValueError("urls must be one or more addresses that begin with http or https")
        for name, length in (("sha256", 64), ("md5", 32)):
            digest = getattr(self, name)
            if digest and (len(digest) != length or set(digest) - set("0123456789abcdef")):
                raise ValueError(f"{name} must be {length} hexadecimal digits in lower case")


@dataclass(frozen=True, kw_only=True)
class LrFolder:
    """Where the LR pictures of one scale lie.

    Attributes:
        folder: Inside the archive, with forward slashes.
        archive: Its file name; '': the archive that holds the photographs.
    """

    folder: str
    archive: str = ""


@dataclass(frozen=True, kw_only=True)
class PhotoFolder:
    """A folder of photographs inside an archive.

    Attributes:
        archive: The archive's file name.
        folder: Inside the archive, with forward slashes.
        splits: To which its photographs may go.
        lr: The official LR pictures, by scale.
    """

    archive: str
    folder: str
    splits: tuple[str, ...]
    lr: dict[int, LrFolder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks the splits.

        Raises:
            ValueError: They are none, unknown, or in another order than SPLITS.
        """
        if not self.splits or [split for split in SPLITS if split in self.splits] != [*self.splits]:
            raise ValueError(f"splits must be some of {', '.join(SPLITS)}, in that order")


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One definition file.

    Attributes:
        about: What it is, who made it, under which terms.
        archives: By file name.
        sources: Folders of photographs, by the name that goes before the photographs' names.
    """

    about: str
    archives: dict[str, Archive]
    sources: dict[str, PhotoFolder]

    def __post_init__(self) -> None:
        """Checks that the parts fit together.

        Raises:
            ValueError: An archive is missing or of an unknown kind, or a name is no plain name.
        """
        for name in (*self.archives, *self.sources):
            if PurePosixPath(name).name != name or name.startswith("."):
                raise ValueError(f"{name!r} must be a plain name, without a folder")
        for name in self.archives:
            if not name.endswith(ENDINGS):
                raise ValueError(f"{name!r} must end with one of {', '.join(ENDINGS)}")
        for source in self.sources.values():
            named = {source.archive, *(lr.archive or source.archive for lr in source.lr.values())}
            if unknown := named - self.archives.keys():
                raise ValueError(f"archives must hold {', '.join(sorted(unknown))}")


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Reads a YAML file as DVC does.

    Raises:
        DataError: It cannot be read.
    """
    try:
        return YAML(typ="safe").load(path)
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise DataError(f"{path}: cannot be read as YAML ({error}); mend it") from None


def read_definition(path: Path) -> Definition:
    """Reads a definition file.

    Raises:
        DataError: It cannot be read, or a value is wrong; lists all of them.
    """
    try:
        return check(read_yaml(path), Definition, str(path))
    except ConfigError as error:
        raise DataError(str(error)) from None
