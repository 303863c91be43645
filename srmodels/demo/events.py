"""Event handlers of the page. Gradio is imported here."""

import html
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from srmodels.demo.path_filter import without_paths
from srmodels.demo.session import Session, Sessions
from srmodels.demo.types import Choices, GeneratorFile, Limits
from srmodels.demo.worker import Worker
from srmodels.errors import PhotoError, SrmodelsError
from srmodels.images.writers.formats import format_named

log = logging.getLogger(__name__)

INPUT = "the picture itself"
P = ParamSpec("P")
T = TypeVar("T")


def report_errors(function: Callable[P, T], files: Sequence[Path]) -> Callable[P, T]:
    """Makes a handler show its errors on the page, without paths of the server or of `files`."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except SrmodelsError as error:
            message = without_paths(str(error), files)
        except MemoryError:
            message = "the picture: does not fit into memory. Choose a smaller one."
        except OSError as error:
            log.exception("demo")
            message = f"the server: {error.strerror or 'cannot use a file'}. Try again."
        except Exception:  # a bug: the page must not show the traceback
            log.exception("demo")
            message = "the program: internal error. See the server's log."
        # it stays until it is closed, or until the next try
        raise gr.Error(html.escape(message), duration=None, print_exception=False)

    return wrapped


def _describe_photo(session: Session) -> str:
    photo = session.photo
    assert photo is not None, "there is a photograph"
    notes = "".join(f" It {html.escape(without_paths(note))}." for note in photo.notes)
    return (
        f"{photo.kind}, {photo.width:,} x {photo.height:,} pixels, {photo.bits} bits.{notes} "
        "After upscaling, click on it to move the crop."
    )


class _Status:
    """Shows on the page how far a job is, and how long it will still take."""

    def __init__(self, bar: gr.Progress) -> None:
        self._bar, self._start = bar, 0.0

    def place(self, before: int) -> None:
        """Shows how many jobs come first."""
        pictures = "picture" if before == 1 else "pictures"
        self._bar(0, desc=f"waiting: {before} {pictures} before yours")

    def progress(self, share: float) -> None:
        """Shows the share that is done, and the rest of the time at the speed so far."""
        now = time.monotonic()
        self._start = self._start or now
        if share <= 0:
            self._bar(0, desc="upscaling")
            return
        minutes, seconds = divmod(int((now - self._start) * (1 - share) / share + 0.5), 60)
        self._bar(share, desc=f"upscaling, {minutes}:{seconds:02} to go")


def _results_table(session: Session) -> str:
    """Size and time of the results in Markdown."""
    lines = ["| generator | pixels | bits | seconds | MB |", "| --- | ---: | ---: | ---: | ---: |"]
    for result in session.results:
        image = result.image
        name = html.escape(result.label) + (f", sample {result.sample}" if result.sample else "")
        lines.append(
            f"| {name} | {image.width:,} x {image.height:,} | {image.bits} | {result.seconds:.1f} "
            f"| {image.file.stat().st_size / 1e6:.1f} |"
        )
    return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The page's event handlers; they return values of its components."""

    generators: Mapping[str, GeneratorFile]  # by label
    limits: Limits
    sessions: Sessions
    preview_worker: Worker  # decodes photographs while `upscale_worker` is busy
    upscale_worker: Worker

    def _session(self, request: gr.Request) -> Session:
        return self.sessions.get(str(request.session_hash))

    def open_photo(self, file: str | None, request: gr.Request) -> tuple[object, ...]:
        """Shows the preview of a new photograph and hides the results; None removes it.

        The last value enables the button.
        """
        session = self._session(request)
        hidden = gr.update(visible=False)
        if file is None:
            session.clear()
            return gr.update(value=None, visible=False), "", hidden, gr.update(interactive=False)
        preview = session.open_photo(Path(file), self.preview_worker, self.limits)
        shown = gr.update(value=preview, visible=True)
        return shown, _describe_photo(session), hidden, gr.update(interactive=True)

    def choose_generator(self, label: str) -> tuple[object, ...]:
        """Shows what the generator is for; samples if it is a VAE, strength if there is a GAN."""
        generator = self.generators[label]
        return (
            f"Trained for {html.escape(generator.trained_for)}.",
            gr.update(visible=generator.has_samples),
            gr.update(visible=generator.pretrained is not None),
        )

    def upscale(  # noqa: PLR0917 - Gradio passes them by position
        self,
        label: str,
        other: str,
        scale: float,
        file_format: str,
        strength: float,
        samples: float,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - Gradio finds it by its default
    ) -> tuple[object, ...]:
        """Upscales the photograph and shows the results."""
        labels = [name for name in dict.fromkeys((label, other)) if name != INPUT]
        session, status = self._session(request), _Status(progress)
        session.upscale(
            [self.generators[name] for name in labels],
            self.upscale_worker,
            self.limits,
            samples=int(samples) if self.generators[label].has_samples else 0,
            choices=Choices(scale=scale, file_format=format_named(file_format), strength=strength),
            progress=status.progress,
            place=status.place,
        )
        left = other if len(labels) > 1 else INPUT
        return (
            gr.update(visible=True),
            f"{html.escape(left)} | {html.escape(label)}",
            *self._crops(session, 50, 50),
            session.full_images(),
            _results_table(session),
            [str(result.image.file) for result in session.results],
            50,
            50,
            "",
        )

    def _crops(self, session: Session, x: float, y: float) -> tuple[Any, ...]:
        pair, bicubic, samples = session.crops(x / 100, y / 100)
        captions = [(path, f"sample {number}") for number, path in enumerate(samples, 1)]
        return pair, bicubic, captions, gr.update(visible=bool(captions))

    def move_crop(self, x: float, y: float, request: gr.Request) -> tuple[object, ...]:
        """Shows the crops around another position, in percent."""
        session = self._session(request)
        if not session.results:
            raise PhotoError("the results: are deleted. Upscale the picture again.")
        return self._crops(session, x, y)

    def click_preview(self, request: gr.Request, event: gr.SelectData) -> tuple[int, int]:
        """The position of a click, in percent from the left and from the top."""
        return self._session(request).percent_of(event.index)

    def stop(self, request: gr.Request) -> None:
        """Stops the running job."""
        self._session(request).stop.set()
        gr.Info("Stopped.", title="")

    def close(self, request: gr.Request) -> None:
        """Ends the session when the page is closed."""
        self.sessions.close(str(request.session_hash))
