"""A local MLflow server with a SQLite store."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

START = 240  # seconds; 12 on an idle machine


class Server:
    """`mlflow ui` over the store in a folder, or a server with a new store there."""

    def __init__(self, folder: Path, *, ui: bool = False) -> None:
        self.folder, self.ui = folder, ui
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        store = ["--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        options = ["ui"] if self.ui else ["server", *store]
        options += [] if self.ui else ["--artifacts-destination", str(self.folder / "files")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *options, "--workers", "1", "--port", str(self.port)],
            cwd=self.folder,
            # no further processes, each with all of MLflow, for jobs of its GenAI part
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START
        while not self.answers():
            assert self.process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=1) as response:
                return response.status == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)  # the session contains the workers, too
            self.process.wait()
            self.process = None
