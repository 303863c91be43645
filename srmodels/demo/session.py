"""What one visitor has here: a picture, results and views of them, in a folder of their own.

Who is there: a visit for each open page, which ends with the page or when nobody comes back.
"""

import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from PIL import Image

from srmodels.demo.jobs import ReadPhoto, UpscaleJob
from srmodels.demo.types import Choice, Limits, Picture, Result
from srmodels.demo.views import box_at, plainly, plainly_whole, reduced, save, whole, window
from srmodels.demo.worker import Report, Worker
from srmodels.errors import ConfigError, PhotoError, SrmodelsError

__all__ = ["WINDOW", "Session", "Sessions", "safe_stem"]

WINDOW = 416  # pixels, of the window at full resolution

WHOLE = 1000  # of the whole picture, at most

_PREVIEW = 640

_MOST_STEM = 80  # characters

_GONE = "the picture: is not here, or not any more; choose the file again"


def safe_stem(path: Path) -> str:
    """How results of a file are named: its name, as far as every system can bear it."""
    kept = "".join(each if each.isalnum() or each in " ._-()" else "_" for each in path.stem)
    return kept[:_MOST_STEM].strip(" .") or "picture"


@dataclass(slots=True)
class Session:
    """A visitor's picture and results.

    Attributes:
        folder: For files of this visit.
        stop: Set to end what is under way.
        source: The file that was given.
        seen: What is in it.
        results: What was made of it.
        used: When it was last asked for.
    """

    folder: Path
    stop: threading.Event = field(default_factory=threading.Event)
    source: Path | None = None
    seen: Picture | None = None
    results: tuple[Result, ...] = ()
    used: float = field(default_factory=time.monotonic)

    def _begin(self) -> None:
        """Ends what is under way: one thing at a time."""
        self.stop.set()
        self.stop = threading.Event()

    def forget(self) -> None:
        """Drops the picture and its results."""
        self.source, self.seen, self.results = None, None, ()
        shutil.rmtree(self.folder, ignore_errors=True)

    def look(self, file: Path, worker: Worker, rules: Limits) -> str:
        """Takes a copy of a file; returns a view of it.

        Raises:
            SrmodelsError: It cannot be decoded.
        """
        self._begin()
        self.forget()
        source = self.folder / "given" / file.name
        source.parent.mkdir(parents=True)
        try:
            # not moved: Gradio keeps equal files once, another visitor may have given the same
            shutil.copyfile(file, source)
            errand = ReadPhoto(
                source=source, pixels=self.folder / "seen.npy", max_pixels=rules.max_pixels
            )
            seen = worker.run(errand, stop=self.stop)
        except FileNotFoundError:
            raise PhotoError(_GONE) from None
        except SrmodelsError:
            self.forget()
            raise
        self.source, self.seen = source, seen
        return self._saved(whole(seen, side=_PREVIEW), "preview", seen)

    def enlarge(
        self,
        chosen: Sequence[Choice],
        worker: Worker,
        rules: Limits,
        *,
        samples: int,
        report: Report,
    ) -> None:
        """Makes the results.

        Raises:
            SrmodelsError: There is no picture, or it cannot be enlarged.
        """
        if self.source is None or not self.source.exists():
            raise PhotoError(_GONE)
        if not 0 <= samples <= rules.max_samples:
            raise ConfigError(f"samples: found {samples}; 0 to {rules.max_samples} is right")
        self._begin()
        for result in self.results:
            result.file.unlink(missing_ok=True)
            result.picture.pixels.unlink(missing_ok=True)
        self.results = ()
        errand = UpscaleJob(
            source=self.source,
            folder=self.folder,
            stem=safe_stem(self.source),
            choices=tuple(chosen),
            samples=samples,
            max_pixels=rules.max_pixels,
            computer=rules.computer,
        )
        self.results = worker.run(errand, stop=self.stop, report=report)

    @property
    def rivals(self) -> tuple[Result | None, Result]:
        """The results beside each other; None where it is the picture itself on the left."""
        firsts = [result for result in self.results if result.number == 0]
        assert firsts, "there are results"
        return (firsts[1] if len(firsts) > 1 else None), firsts[0]

    def windows(self, across: float, down: float) -> tuple[tuple[str, str], str, list[str]]:
        """Views at full resolution around a place, from 0 to 1.

        Returns:
            Both sides of the slider; bicubic; samples.
        """
        assert self.seen is not None, "there is a picture"
        left, right = self.rivals
        box = box_at(right.picture, across, down, side=WINDOW)
        if left is None:
            other = plainly(self.seen, right.picture, box, way="nearest")
        else:  # it may be of another scale
            other = plainly(left.picture, right.picture, box, way="bicubic")
        bicubic = plainly(self.seen, right.picture, box, way="bicubic")
        samples = [
            self._saved(window(each.picture, box), f"sample-{at}", each.picture)
            for at, each in enumerate(self.results)
            if each.number
        ]
        pair = (
            self._saved(other, "left", self.seen),
            self._saved(window(right.picture, box), "right", right.picture),
        )
        return pair, self._saved(bicubic, "bicubic", self.seen), samples

    def place_of(self, index: tuple[int, int]) -> tuple[int, int]:
        """Where a pixel of the preview is: percent from the left and from the top."""
        if self.seen is None:
            return 50, 50
        height, width = reduced(self.seen, _PREVIEW)
        return round(100 * (index[0] + 0.5) / width), round(100 * (index[1] + 0.5) / height)

    def wholes(self) -> tuple[str, str]:
        """Views of all of the picture: both sides of the slider."""
        assert self.seen is not None, "there is a picture"
        left, right = self.rivals
        source = left.picture if left else self.seen
        other = plainly_whole(source, right.picture, side=WHOLE)
        return (
            self._saved(other, "whole-left", source),
            self._saved(whole(right.picture, side=WHOLE), "whole-right", right.picture),
        )

    def _saved(self, image: Image.Image, name: str, picture: Picture) -> str:
        """Under a new name each time, for browsers remember; the two latest are kept."""
        older = sorted(
            self.folder.glob(f"view-{name}-*.png"), key=lambda path: path.stat().st_mtime
        )
        for path in older[:-1]:
            path.unlink()
        return save(image, self.folder / f"view-{name}-{uuid4().hex}.png", picture)


class Sessions:
    """All visits, by the session's name.

    Args:
        folder: For their folders.
        keep: Seconds after which one that nobody asks for ends.
    """

    def __init__(self, folder: Path, *, keep: float) -> None:
        self._folder, self._keep = folder, keep
        self._visits: dict[str, Session] = {}
        self._turn = threading.Lock()

    def of(self, session: str) -> Session:
        """A session's visit, which begins where there is none."""
        now = time.monotonic()
        for old in [key for key, each in self._visits.items() if now - each.used > self._keep]:
            self.end(old)
        with self._turn:
            if session not in self._visits:
                place = Path(tempfile.mkdtemp(prefix="visit-", dir=self._folder))
                self._visits[session] = Session(place)
            self._visits[session].used = now
            return self._visits[session]

    def end(self, session: str) -> None:
        """Stops what a session has under way, and deletes its files."""
        with self._turn:
            visit = self._visits.pop(session, None)
        if visit is not None:
            visit.stop.set()
            visit.forget()
