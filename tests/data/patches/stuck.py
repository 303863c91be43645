"""A photograph that is never read to its end, so that its reader can be caught at it."""

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil


class Stuck:
    """A named pipe in a photograph's place: whoever reads it waits."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.path.rename(self.path.with_suffix(".away"))
        os.mkfifo(self.path)

    def mend(self) -> None:
        """Puts the photograph back; who has opened the pipe goes on waiting."""
        self.path.with_suffix(".away").replace(self.path)

    def _is_reader(self, process: psutil.Process) -> bool:
        with suppress(OSError):
            opened = Path(f"/proc/{process.pid}/fd").iterdir()
            return self.path.resolve() in [path.resolve() for path in opened]
        return False

    def reader(self, seconds: float = 60.0) -> psutil.Process | None:
        """The child process that reads it; None where there is none within the time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.02)
            try:
                pipe = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it now
                continue
            # with a writer, the reader has it open and waits for what is written
            while time.monotonic() < end:
                for process in psutil.Process().children(recursive=True):
                    if self._is_reader(process):
                        process.suspend()  # or it would see the pipe's end when we close it
                        os.close(pipe)
                        return process
            os.close(pipe)
        return None
