"""Which files are enlarged, and where results go: never onto an input or another result."""

import glob
import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from srmodels.errors import ConfigError
from srmodels.images.file_types import SUFFIXES, is_photo
from srmodels.images.readers.folder import list_files
from srmodels.images.writers.formats import FORMATS, Format, format_of

__all__ = ["PIPE", "Task", "plan"]

log = logging.getLogger(__name__)

PIPE = Path("-")  # standard input or output
_SEPARATORS = ("/", os.sep)  # the end of a folder's name
_PHOTO_SUFFIXES = frozenset().union(*SUFFIXES.values())


@dataclass(frozen=True, slots=True)
class Task:
    """One picture and its results."""

    source: Path  # or `PIPE`
    targets: tuple[Path, ...]  # one per sample, or `PIPE`
    file_format: Format


class _Input(NamedTuple):
    path: Path
    relative: Path  # to the folder or the fixed part of the pattern that was named


def _in_folder(folder: Path, output: Path) -> Iterator[_Input]:
    photos, others = list_files(folder)
    if others:
        log.info("%s: ignoring %d other files", folder, len(others))
    output, resolved = output.resolve(), folder.resolve()
    for path in photos:
        # an output folder inside the input holds results of an earlier run
        if output == resolved or not path.resolve().is_relative_to(output):
            yield _Input(path, path.relative_to(folder))


def _path(argument: str) -> Path:
    """The path of an argument, which is no pipe for the file `./-`."""
    path = Path(argument)
    return path.absolute() if path == PIPE and argument != str(PIPE) else path


def _expand(argument: str, output: Path) -> list[_Input]:
    """The pictures that an argument of the command line names."""
    path = _path(argument)
    if not argument:
        raise ConfigError("IN: is empty (got ''). Name files or folders of pictures.")
    if path == PIPE:
        return [_Input(PIPE, Path("stdin"))]
    if path.is_dir():
        return list(_in_folder(path, output))
    if os.path.lexists(path) or not glob.has_magic(argument):
        return [_Input(path, Path(path.name))]
    first_wildcard = next(at for at, part in enumerate(path.parts) if glob.has_magic(part))
    base = Path(*path.parts[:first_wildcard])
    matches = map(Path, sorted(glob.glob(argument, recursive=True)))  # noqa: PTH207 - as the shell does
    return [
        _Input(match, match.relative_to(base))
        for match in matches
        if match.is_file() and is_photo(match)
    ]


def _given_once(pictures: Sequence[_Input]) -> list[_Input]:
    """The first of inputs that are one file of one name; a link of another name is another."""
    kept: dict[tuple[str, str], _Input] = {}
    for picture in pictures:
        real = "" if picture.path == PIPE else os.path.realpath(picture.path)
        kept.setdefault((real, picture.path.name), picture)
    if len(kept) < len(pictures):
        log.info("repeated inputs: %d; each picture is enlarged once", len(pictures) - len(kept))
    return list(kept.values())


def _is_file(output: str, inputs: Sequence[str]) -> bool:
    """Whether -o names a file: it is no folder and has a picture's suffix or, for files, any."""
    if output.endswith(_SEPARATORS) or Path(output).is_dir() or not Path(output).suffix:
        return False
    is_picture = Path(output).suffix.lower() in _PHOTO_SUFFIXES
    return is_picture or not any(Path(argument).is_dir() for argument in inputs)


def _check_folders(output: str) -> None:
    """Raises ConfigError if a file is where -o names a folder."""
    path = Path(output)
    for folder in [*([path] if output.endswith(_SEPARATORS) else []), *path.parents]:
        if os.path.lexists(folder) and not folder.is_dir():
            raise ConfigError(f"-o: is a file, not a folder (got '{folder}'). Name another.")


def _comparable(path: Path) -> str:
    """Equal for two paths that some file system takes for the same."""
    return unicodedata.normalize("NFC", os.path.abspath(path)).casefold()  # noqa: PTH100 - no links followed


def _without_suffix(path: Path) -> Path:
    """Drops the suffix of a picture; `v1.2` stays."""
    return path.with_suffix("") if path.suffix.lower() in _PHOTO_SUFFIXES else path


def _in_output(inputs: Sequence[_Input], output: Path, file_format: Format) -> list[Path]:
    """NAME.png for each input; NAME.EXT.png where inputs differ in their suffix only."""
    suffix = file_format.suffixes[0]
    short = [output / f"{_without_suffix(relative)}{suffix}" for _, relative in inputs]
    long = [output / f"{relative}{suffix}" for _, relative in inputs]
    shorts, longs = Counter(map(_comparable, short)), Counter(map(_comparable, long))
    return [
        whole if shorts[_comparable(path)] > 1 and longs[_comparable(whole)] == 1 else path
        for path, whole in zip(short, long, strict=True)
    ]


def _numbered(path: Path, samples: int) -> tuple[Path, ...]:
    if not samples:
        return (path,)
    return tuple(path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(1, samples + 1))


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _check(tasks: Sequence[Task]) -> None:
    sources = {_file_id(task.source) for task in tasks} - {None}
    source_of: dict[str, Path] = {}  # by target
    for task in tasks:
        for target in task.targets:
            key = _comparable(target)
            if _file_id(target) in sources:
                raise ConfigError(
                    f"{task.source}: its result would overwrite an input (got {target}). Change -o."
                )
            if key in source_of:
                raise ConfigError(
                    f"{task.source}: its result is also that of {source_of[key]} (got {target}). "
                    "Enlarge them into different folders."
                )
            source_of[key] = task.source


def plan(
    inputs: Sequence[str], output: str, *, file_format: Format | None = None, samples: int = 0
) -> list[Task]:
    """Maps inputs to results.

    Args:
        inputs: Files, folders (recursively), patterns with *, ** and ?, or "-".
        output: For one picture, a file with a suffix or "-"; else a folder, which keeps the
            structure below an input folder or the fixed part of a pattern. A new folder with a
            picture's suffix ends in "/".
        file_format: Of the results; None takes the suffix of a file, else PNG.
        samples: Results per picture, NAME-1 and so on; 0 is one result, NAME.

    Raises:
        ConfigError: No picture, or a result would overwrite an input or another result.
        OSError: A folder cannot be listed.
    """
    found = {argument: _expand(argument, Path(output)) for argument in inputs}
    pictures = _given_once([picture for argument in inputs for picture in found[argument]])
    if not pictures:
        raise ConfigError(
            f"{', '.join(inputs)}: no picture found. Name image files, or folders that hold some."
        )
    for argument, some in found.items():
        if not some:
            log.warning("%s: no picture found; the other inputs are enlarged", argument)
    to_pipe = output == str(PIPE)
    single = to_pipe or _is_file(output, inputs)
    if single and (len(pictures) > 1 or (to_pipe and samples)):
        count = max(len(pictures), samples)
        raise ConfigError(
            f"-o {output}: is one file for {count} pictures. Name a folder, as large/."
        )
    if to_pipe:
        return [Task(pictures[0].path, (PIPE,), file_format or FORMATS[0])]
    _check_folders(output)
    if single:
        own = format_of(Path(output))
        if file_format not in (None, own):
            raise ConfigError(
                f"-o {output}: is {own.name}, but --format is {file_format.name}. Name one of them."
            )
        file_format, targets = own, [_path(output)]
    elif os.path.lexists(output) and not Path(output).is_dir():
        raise ConfigError(f"-o {output}: is no folder. Name a folder, or a file such as large.png.")
    else:
        file_format = file_format or FORMATS[0]
        targets = _in_output(pictures, Path(output), file_format)
    tasks = [
        Task(picture.path, _numbered(target, samples), file_format)
        for picture, target in zip(pictures, targets, strict=True)
    ]
    _check(tasks)
    if not single and any(
        target.stem == picture.relative.name != _without_suffix(picture.relative).name
        for picture, target in zip(pictures, targets, strict=True)
    ):
        log.info("inputs differ in their suffix only: their results keep it, too")
    return tasks
