"""Many picture files, enlarged; a failure of one does not stop the rest."""

import errno
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
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
from srmodels.inference.progress import progress_bar, warn_of_size

__all__ = ["Outcome", "upscale_files"]

log = logging.getLogger(__name__)

# these concern one file name; any other OSError would stop the next picture as well
_FILE_NAME_ERRORS = {errno.ENAMETOOLONG, errno.EISDIR, errno.EILSEQ, errno.EINVAL}


@dataclass(slots=True)
class Outcome:
    """Counts of pictures, and a sentence per failure."""

    written: int = 0
    existing: int = 0  # skipped, because all results exist
    older: int = 0  # of these, with a result older than the input: perhaps another picture's
    failed: list[str] = field(default_factory=list)


def _on_one_line(text: str) -> str:
    """Escapes what is not printable in file names."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


@contextmanager
def _source_file(source: Path) -> Iterator[Path]:
    """The file itself; for a pipe, which can be read once only, a temporary copy."""
    if source != PIPE and not source.exists():
        raise PhotoError(f"{source}: no such file. Check the path.")
    if source != PIPE and not source.is_fifo():
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pipe")
        with (
            path.open("wb") as file,
            nullcontext(sys.stdin.buffer) if source == PIPE else source.open("rb") as pipe,
        ):
            shutil.copyfileobj(pipe, file)
        yield path


def _is_older(task: Task) -> bool:
    """Whether an existing result was written before its input."""
    if task.source == PIPE or not task.source.exists():
        return False
    written = min(target.stat().st_mtime_ns for target in task.targets)
    return written < task.source.stat().st_mtime_ns


def _with_progress(bands: RowChunks, bar: "tqdm[NoReturn]", height: int, share: float) -> RowChunks:
    for band in bands:
        yield band
        bar.update(share * len(band) / height)


@dataclass(frozen=True, slots=True)
class _Upscaler:
    """Runs tasks with the same options."""

    generator: Generator
    options: OutputOptions
    quality: int
    max_pixels: int
    seed: int | None
    bar: "tqdm[NoReturn]"

    def run(self, task: Task) -> None:
        with _source_file(task.source) as path:
            image = read_image(path, max_pixels=self.max_pixels)
        if not task.file_format.keeps_profile(image.colour.shape[2], image.alpha is not None):
            image = image.without_profile()
        name = task.source.name
        for note in image.notes:
            log.info("%s", _on_one_line(f"{name}: {note}"))
        for number, target in enumerate(task.targets):
            seed = None if self.seed is None else self.seed + number
            rows = upscale_image(image, self.generator, self.options, task.file_format, seed=seed)
            task.file_format.check(name, rows.height, rows.width)
            warn_of_size(_on_one_line(name), rows.height, rows.width)
            bands = _with_progress(rows.bands, self.bar, rows.height, 1 / len(task.targets))
            self._write(replace(rows, bands=bands), task, target)

    def _write(self, rows: RowStream, task: Task, target: Path) -> None:
        with tempfile.TemporaryFile() if target == PIPE else replacing(target) as file:
            write_rows(file, rows, task.file_format, name=task.source.name, quality=self.quality)
            if target == PIPE:
                file.seek(0)
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.flush()


def _failure(name: str, error: Exception) -> str | None:
    """A sentence about the failure of one picture; None if the others would fail as well."""
    if isinstance(error, PhotoError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"{name}: its result does not fit into memory. Cut the picture into parts."
    if isinstance(error, OSError) and error.errno in _FILE_NAME_ERRORS:
        return f"{name}: its result cannot be written (got {error.strerror!r}). Change the name."
    return None


def _run_all(
    upscaler: _Upscaler, tasks: Sequence[Task], outcome: Outcome, *, skip_existing: bool
) -> None:
    """Runs the tasks in order and counts them in `outcome`."""
    for done, task in enumerate(tasks):
        name = task.source.name
        upscaler.bar.set_postfix_str(f"{_on_one_line(name)} ({done + 1} of {len(tasks)})")
        if skip_existing and all(target.exists() for target in task.targets):
            outcome.existing += 1
            outcome.older += _is_older(task)
        else:
            try:
                upscaler.run(task)
                outcome.written += 1
            except Exception as error:
                sentence = _failure(name, error)
                if sentence is None:
                    raise
                outcome.failed.append(_on_one_line(sentence))
                log.warning("skipped %s", outcome.failed[-1])
        upscaler.bar.n = done + 1
        upscaler.bar.refresh()


def upscale_files(
    tasks: Sequence[Task],
    generator: Generator,
    options: OutputOptions | None = None,
    *,
    quality: int = QUALITY,
    max_pixels: int = MAX_PIXELS,
    seed: int | None = None,
    skip_existing: bool = False,
) -> Outcome:
    """Enlarges the pictures of tasks from `plan`.

    Args:
        tasks: Inputs and results.
        generator: The network.
        options: Size and depth of the results.
        quality: 1 to 100, for lossy formats.
        max_pixels: Larger pictures are refused before decoding.
        seed: Of the first sample of each picture; None gives a VAE's mean.
        skip_existing: Whether to skip pictures whose results all exist.

    Raises:
        SrmodelsError: No picture can be enlarged, such as without memory for the smallest tile.
        OSError: A result cannot be written; earlier results stay.
    """
    outcome = Outcome()
    bar = progress_bar(len(tasks))
    upscaler = _Upscaler(generator, options or OutputOptions(), quality, max_pixels, seed, bar)
    try:
        with logging_redirect_tqdm(), bar:
            _run_all(upscaler, tasks, outcome, skip_existing=skip_existing)
    except KeyboardInterrupt:
        if len(tasks) > 1:
            log.warning(
                "interrupted: %d of %d pictures written; the same command with --skip-existing "
                "goes on",
                outcome.written + outcome.existing,
                len(tasks),
            )
        raise
    return outcome
