"""Which files are enlarged, and where each result goes: never onto an input or another result."""

import glob
import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from srmodels.errors import ConfigError
from srmodels.images.file_types import SUFFIXES, is_photo
from srmodels.images.readers.folder import list_files
from srmodels.images.writers.formats import FORMATS, Format, format_of

__all__ = ["PIPE", "Task", "plan"]

log = logging.getLogger(__name__)

_ENDINGS = frozenset().union(*SUFFIXES.values())
PIPE = Path("-")  # standard input or output


@dataclass(frozen=True, slots=True)
class Task:
    """One picture and its results.

    Attributes:
        source: The file, or `PIPE`.
        targets: One file for each sample; `PIPE` for standard output.
        kind: Of the targets.
    """

    source: Path
    targets: tuple[Path, ...]
    kind: Format


_Found = tuple[Path, Path]  # a source, and its place below the folder that was named


def _in_folder(folder: Path, output: Path) -> Iterator[_Found]:
    photos, others = list_files(folder)
    if others:
        log.info("%s: %d other files are left alone", folder, len(others))
    away, here = output.resolve(), folder.resolve()
    for path in photos:
        # results of an earlier run inside the folder are no inputs
        if away == here or not path.resolve().is_relative_to(away):
            yield path, path.relative_to(folder)


def _fixed_part(pattern: str) -> Path:
    """The folders of a pattern before its first wildcard."""
    parts = Path(pattern).parts
    first = next(at for at, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


def _found(word: str, output: Path) -> list[_Found]:
    """The pictures that a word on the command line stands for."""
    path = Path(word)
    if not word:
        raise ConfigError("IN: a name is empty; name files or folders of pictures")
    if path == PIPE:
        return [(PIPE, Path("stdin"))]
    if path.is_dir():
        return list(_in_folder(path, output))
    if os.path.lexists(path) or not glob.has_magic(word):
        return [(path, Path(path.name))]
    base = _fixed_part(word)
    matches = [Path(each) for each in sorted(glob.glob(word, recursive=True))]  # noqa: PTH207 - as the shell does
    return [(each, each.relative_to(base)) for each in matches if each.is_file() and is_photo(each)]


def _is_file(output: str, inputs: Sequence[str]) -> bool:
    """Whether -o names a file: it has an ending and is no folder, nor are the inputs."""
    if output.endswith(("/", os.sep)) or Path(output).is_dir() or not Path(output).suffix:
        return False
    return not any(Path(word).is_dir() for word in inputs)


def _key(path: Path) -> str:
    """Equal for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", os.path.abspath(path)).casefold()  # noqa: PTH100 - no links followed


def _bare(place: Path) -> Path:
    """A name without its ending, if that is a picture's: `v1.2` keeps its own."""
    return place.with_suffix("") if place.suffix.lower() in _ENDINGS else place


def _in_output(found: Sequence[_Found], output: Path, kind: Format) -> list[Path]:
    """NAME.png of each; NAME.EXT.png of those that have the same name but for their ending."""
    plain = [output / f"{_bare(place)}{kind.suffixes[0]}" for _, place in found]
    counts = Counter(_key(path) for path in plain)
    named = [
        path if counts[_key(path)] == 1 else output / f"{place}{kind.suffixes[0]}"
        for path, (_, place) in zip(plain, found, strict=True)
    ]
    if named != plain:
        log.info("pictures of one name in several kinds: their results keep the ending, too")
    return named


def _numbered(path: Path, samples: int) -> tuple[Path, ...]:
    if not samples:
        return (path,)
    return tuple(path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(1, samples + 1))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _check(tasks: Sequence[Task]) -> None:
    sources = {_identity(task.source) for task in tasks} - {None}
    taken: dict[str, Path] = {}
    for task in tasks:
        for target in task.targets:
            if _identity(target) in sources:
                raise ConfigError(
                    f"{task.source}: its result {target} would overwrite an input; change -o"
                )
            if _key(target) in taken:
                raise ConfigError(
                    f"{task.source}: its result {target} is also that of {taken[_key(target)]}; "
                    "enlarge them into different folders"
                )
            taken[_key(target)] = task.source


def plan(
    inputs: Sequence[str], output: str, *, kind: Format | None = None, samples: int = 0
) -> list[Task]:
    """Which file goes where.

    Args:
        inputs: Files, folders (with all below), patterns with *, ** and ?, or "-".
        output: A file for a single picture, told by its ending; "-"; otherwise a folder, in which
            what lies below a folder or a pattern keeps its place.
        kind: Of the results; None: by the ending of a file, else PNG.
        samples: Results of each picture, NAME-1 and so on; 0: one, NAME.

    Raises:
        ConfigError: There is no picture, a result would overwrite an input or another result, or
            several pictures would go to one file.
        OSError: A folder cannot be listed.
    """
    found = [each for word in inputs for each in _found(word, Path(output))]
    if not found:
        raise ConfigError(f"{', '.join(inputs)}: no picture found; name files or folders of some")
    single = output == str(PIPE) or _is_file(output, inputs)
    if single and (len(found) > 1 or (output == str(PIPE) and samples)):
        count = max(len(found), samples)
        raise ConfigError(f"-o {output}: is one file for {count} pictures; name a folder")
    if output == str(PIPE):
        return [Task(found[0][0], (PIPE,), kind or FORMATS[0])]
    if single:
        own = format_of(Path(output))
        if kind not in (None, own):
            raise ConfigError(f"-o {output}: is {own.name}, but --format is {kind.name}; name one")
        kind, targets = own, [Path(output)]
    else:
        kind = kind or FORMATS[0]
        targets = _in_output(found, Path(output), kind)
    tasks = [
        Task(source, _numbered(target, samples), kind)
        for (source, _), target in zip(found, targets, strict=True)
    ]
    _check(tasks)
    return tasks
