"""Many picture files in, many enlarged ones out; one that goes wrong does not stop the rest."""

import errno
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from srmodels.atomic import replacing
from srmodels.errors import PhotoError
from srmodels.images.limits import MAX_PIXELS
from srmodels.images.readers.source_image import read_image
from srmodels.images.writers.row_stream import RowChunks, RowStream
from srmodels.images.writers.write import QUALITY, write_rows
from srmodels.inference.files.enlarge import OutputOptions, upscale_image
from srmodels.inference.files.plan import PIPE, Task
from srmodels.inference.generators.generator import Generator

__all__ = ["Outcome", "upscale_files"]

log = logging.getLogger(__name__)

# the fault of one name; of all other causes, the next picture would suffer as well
_OF_A_NAME = {errno.ENAMETOOLONG, errno.EISDIR, errno.EILSEQ, errno.EINVAL}
_BAR = "{desc}: {percentage:3.0f}% |{bar}| {elapsed}, {remaining} to go{postfix}"


@dataclass(slots=True)
class Outcome:
    """What became of the pictures.

    Attributes:
        written: How many.
        existing: How many had their results already.
        failed: One sentence for each of the others.
    """

    written: int = 0
    existing: int = 0
    failed: list[str] = field(default_factory=list)


def _line(text: str) -> str:
    """A text that names files, on one line, whatever they are called."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


@contextmanager
def _file_of(source: Path) -> Iterator[Path]:
    """A picture's file; standard input becomes one for as long."""
    if source != PIPE:
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stdin")
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path


def _watched(bands: RowChunks, bar: "tqdm[NoReturn]", height: int, share: float) -> RowChunks:
    for band in bands:
        yield band
        bar.update(share * len(band) / height)


@dataclass(frozen=True, slots=True)
class _Work:
    """How each picture is done."""

    generator: Generator
    wish: OutputOptions
    quality: int
    max_pixels: int
    seed: int | None
    bar: "tqdm[NoReturn]"

    def do(self, task: Task) -> None:
        with _file_of(task.source) as path:
            whole = read_image(path, max_pixels=self.max_pixels)
        for note in whole.notes:
            log.info("%s", _line(f"{task.source.name}: {note}"))
        for number, target in enumerate(task.targets):
            seed = None if self.seed is None else self.seed + number
            sheet = upscale_image(whole, self.generator, self.wish, task.kind, seed=seed)
            task.kind.check(task.source.name, sheet.height, sheet.width)
            bands = _watched(sheet.bands, self.bar, sheet.height, 1 / len(task.targets))
            self._write(replace(sheet, bands=bands), task, target)

    def _write(self, sheet: RowStream, task: Task, target: Path) -> None:
        name = task.source.name
        if target != PIPE:
            with replacing(target) as file:
                write_rows(file, sheet, task.kind, name=name, quality=self.quality)
            return
        with tempfile.TemporaryFile() as file:
            write_rows(file, sheet, task.kind, name=name, quality=self.quality)
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.flush()


def _failure(task: Task, error: Exception) -> str | None:
    """The sentence about one picture's failure; None where the rest would fail as well."""
    if isinstance(error, PhotoError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"{task.source.name}: its result does not fit into memory; cut it into parts"
    if isinstance(error, OSError) and error.errno in _OF_A_NAME:
        return f"{task.source.name}: its result cannot be written ({error.strerror})"
    return None


def upscale_files(
    tasks: Sequence[Task],
    generator: Generator,
    wish: OutputOptions | None = None,
    *,
    quality: int = QUALITY,
    max_pixels: int = MAX_PIXELS,
    seed: int | None = None,
    skip_existing: bool = False,
) -> Outcome:
    """Enlarges files.

    Args:
        tasks: As `plan` returns them.
        generator: Whose network does it.
        wish: What the results shall be; None: what the generator makes.
        quality: 1 to 100, where the kind of file loses something.
        max_pixels: Larger pictures are refused before they are decoded.
        seed: Of the first sample of each picture; None: a VAE's most likely picture.
        skip_existing: Whether pictures are left alone whose results are all there.

    Raises:
        SrmodelsError: Nothing of this can work, such as no memory for the smallest tile.
        OSError: A result cannot be written; what was written before stays.
    """
    outcome = Outcome()
    bar: tqdm[NoReturn] = tqdm(total=len(tasks), desc="upscale", disable=None, bar_format=_BAR)
    work = _Work(generator, wish or OutputOptions(), quality, max_pixels, seed, bar)
    with logging_redirect_tqdm(), bar:
        for done, task in enumerate(tasks):
            bar.set_postfix_str(f", {_line(task.source.name)} ({done + 1} of {len(tasks)})")
            if skip_existing and all(target.exists() for target in task.targets):
                outcome.existing += 1
            else:
                try:
                    work.do(task)
                    outcome.written += 1
                except Exception as error:
                    sentence = _failure(task, error)
                    if sentence is None:
                        raise
                    outcome.failed.append(_line(sentence))
                    log.warning("skipped %s", outcome.failed[-1])
            bar.n = done + 1
            bar.refresh()
    return outcome
