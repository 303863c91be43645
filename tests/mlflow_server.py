"""MLflow's own server over SQLite, on this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

START = 240  # seconds; a dozen are enough where nothing else runs


class Server:
    """Runs in a folder: `mlflow ui` with the store that lies there, or a server with its own."""

    def __init__(self, folder: Path, *, ui: bool = False) -> None:
        self.folder, self.ui = folder, ui
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        store = ["--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        words = ["ui"] if self.ui else ["server", *store]
        words += [] if self.ui else ["--artifacts-destination", str(self.folder / "files")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words, "--workers", "1", "--port", str(self.port)],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START
        while not self.answers():
            assert self.process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not come up"
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)  # its session holds it and its workers
            self.process.wait()
            self.process = None
