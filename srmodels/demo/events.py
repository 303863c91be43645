"""What happens when the page is used. Gradio is imported here."""

import html
import logging
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from srmodels.demo.path_filter import without_paths
from srmodels.demo.session import Session, Sessions
from srmodels.demo.types import Choice, Limits
from srmodels.demo.worker import Worker
from srmodels.errors import PhotoError, SrmodelsError

__all__ = ["INPUT", "Events", "report_errors"]

log = logging.getLogger(__name__)

INPUT = "the picture itself"
P = ParamSpec("P")
T = TypeVar("T")


def report_errors(known: Sequence[Path]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Makes what goes wrong a sentence on the page, in which files go by their names."""

    def told(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except SrmodelsError as error:
                sentence = without_paths(str(error), known)
            except MemoryError:
                sentence = "the picture: does not fit into memory; choose a smaller one"
            except OSError as error:
                log.exception("the demo")
                sentence = f"the server: {error.strerror or 'a file cannot be used'}; try again"
            except Exception:  # a fault of ours: the log has all of it, the page no path
                log.exception("the demo")
                sentence = "the program: has a fault; the server's log says which"
            raise gr.Error(html.escape(sentence), print_exception=False)

        return wrapped

    return told


def _about(visit: Session) -> str:
    """What is known of the picture that was given."""
    seen = visit.seen
    assert seen is not None, "there is a picture"
    notes = "".join(f" It {html.escape(without_paths(note))}." for note in seen.notes)
    return (
        f"{seen.kind}, {seen.width:,} x {seen.height:,} pixels, {seen.bits} bits.{notes} "
        "Once it is enlarged, a click on it moves the window."
    )


def _facts(visit: Session) -> str:
    """Size and time of the results, as a Markdown table."""
    lines = ["| generator | pixels | bits | seconds | MB |", "| --- | ---: | ---: | ---: | ---: |"]
    for each in visit.results:
        name = html.escape(each.label) + (f", sample {each.number}" if each.number else "")
        size = each.file.stat().st_size / 1e6
        shown = each.picture
        lines.append(
            f"| {name} | {shown.width:,} x {shown.height:,} | {shown.bits} | {each.seconds:.1f} "
            f"| {size:.1f} |"
        )
    return "\n".join(lines)


class Events:
    """What the page's events do; the results are values for its components.

    Args:
        choices: The generators.
        rules: What visitors may do.
        visits: Who is there.
        eyes: Looks at pictures.
        hands: Enlarges them; nobody waits for it to be shown a picture.
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        rules: Limits,
        *,
        visits: Sessions,
        eyes: Worker,
        hands: Worker,
    ) -> None:
        self._choices = {choice.label: choice for choice in choices}
        self._rules, self._visits = rules, visits
        self._eyes, self._hands = eyes, hands

    def _visit(self, request: gr.Request) -> Session:
        return self._visits.of(str(request.session_hash))

    def look(self, file: str | None, request: gr.Request) -> tuple[object, ...]:
        """A file was given, or taken away: its preview, and no results."""
        visit = self._visit(request)
        if file is None:
            visit.forget()
            return gr.update(value=None, visible=False), "", gr.update(visible=False)
        preview = visit.look(Path(file), self._eyes, self._rules)
        return gr.update(value=preview, visible=True), _about(visit), gr.update(visible=False)

    def choose(self, label: str) -> object:
        """Another generator was chosen: a VAE has samples."""
        return gr.update(visible=self._choices[label].has_samples)

    def enlarge(
        self,
        label: str,
        rival: str,
        samples: float,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - so Gradio finds it
    ) -> tuple[object, ...]:
        """The button: results, and views of them."""
        chosen = [self._choices[each] for each in dict.fromkeys((label, rival)) if each != INPUT]
        visit = self._visit(request)
        visit.enlarge(
            chosen,
            self._hands,
            self._rules,
            samples=int(samples) if self._choices[label].has_samples else 0,
            report=lambda share: progress(share, desc="enlarging"),
        )
        left = rival if len(chosen) > 1 else INPUT
        return (
            gr.update(visible=True),
            f"{html.escape(left)} | {html.escape(label)}",
            *self._views(visit, 50, 50),
            visit.wholes(),
            _facts(visit),
            [str(result.file) for result in visit.results],
            50,
            50,
            "",
        )

    def _views(self, visit: Session, across: float, down: float) -> tuple[Any, ...]:
        pair, bicubic, samples = visit.windows(across / 100, down / 100)
        captions = [(path, f"sample {number}") for number, path in enumerate(samples, 1)]
        return pair, bicubic, captions, gr.update(visible=bool(captions))

    def move(self, across: float, down: float, request: gr.Request) -> tuple[object, ...]:
        """The window is elsewhere."""
        visit = self._visit(request)
        if not visit.results:
            raise PhotoError("the results: are gone; enlarge the picture again")
        return self._views(visit, across, down)

    def aim(self, request: gr.Request, event: gr.SelectData) -> tuple[int, int]:
        """A click on the preview: percent from the left and from the top."""
        return self._visit(request).place_of(event.index)

    def stop(self, request: gr.Request) -> None:
        """What is under way ends."""
        self._visit(request).stop.set()
        gr.Info("Stopped.", title="")

    def leave(self, request: gr.Request) -> None:
        """The page was closed."""
        self._visits.end(str(request.session_hash))
