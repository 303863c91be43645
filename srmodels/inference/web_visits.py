"""Who is there: a visit for each open page, which ends with the page or when nobody comes back."""

import tempfile
import threading
import time
from pathlib import Path

from srmodels.inference.web_visit import Visit

__all__ = ["Visits"]


class Visits:
    """All visits, by the session's name.

    Args:
        folder: For their folders.
        keep: Seconds after which one that nobody asks for ends.
    """

    def __init__(self, folder: Path, *, keep: float) -> None:
        self._folder, self._keep = folder, keep
        self._visits: dict[str, Visit] = {}
        self._turn = threading.Lock()

    def of(self, session: str) -> Visit:
        """A session's visit, which begins where there is none."""
        now = time.monotonic()
        for old in [key for key, each in self._visits.items() if now - each.used > self._keep]:
            self.end(old)
        with self._turn:
            if session not in self._visits:
                place = Path(tempfile.mkdtemp(prefix="visit-", dir=self._folder))
                self._visits[session] = Visit(place)
            self._visits[session].used = now
            return self._visits[session]

    def end(self, session: str) -> None:
        """Stops what a session has under way, and deletes its files."""
        with self._turn:
            visit = self._visits.pop(session, None)
        if visit is not None:
            visit.stop.set()
            visit.forget()
