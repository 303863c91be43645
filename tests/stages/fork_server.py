"""`dvc` and `python -m` of stages and srmodels, as forks of a process that has all libraries.

A start of Python with torch, MLflow and DVC costs two to four CPU seconds, and the tests start
hundreds. `commands()` is a folder for PATH; its `dvc` and `python` hand their words, environment
and streams to the server, pass signals on and end as the fork ended. Any other command, or one
whose environment loads libraries otherwise, starts Python anew. The server ends with the process of
the tests. Linux only.
"""

import array
import atexit
import contextlib
import functools
import gc
import importlib
import json
import logging
import os
import runpy
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

# of third parties alone: `srmodels` and `stages` come from the folder of each command
LIBRARIES = (
    *("torch", "mlflow", "mlflow.tracking", "mlflow.store.tracking.sqlalchemy_store", "numpy"),
    *("pandas", "scipy.ndimage", "skimage.metrics", "matplotlib.figure", "numba", "PIL.Image"),
    *("matplotlib.backends.backend_agg", "pillow_heif", "imageio.v3", "rawpy", "pydantic"),
    *("safetensors.torch", "tqdm", "ruamel.yaml", "filelock", "psutil", "lightning_fabric"),
    *("typer", "dvc.cli", "dvc.repo", "dvc.repo.reproduce", "dvc.repo.experiments"),
    *("dvc.stage.run", "dvc.commands.repro", "dvc.commands.experiments.run"),
    # what MLflow's copy of a generator needs
    *("mlflow.pytorch", "mlflow.pyfunc", "torch.export._trace", "torch._inductor.compile_fx"),
)
READ_AT_START = ("PYTHON", "OMP_", "GOMP_", "MKL_", "KMP_", "ONEDNN_", "DNNL_", "ATEN_", "NUMBA_")
CLIENT = Path(__file__).with_name("fork_client.py")


@functools.cache
def commands() -> Path | None:
    """Starts the server; its folder with `python` and `dvc`, None where there are no pidfds."""
    if not hasattr(os, "pidfd_open"):
        return None
    folder = Path(tempfile.mkdtemp(prefix="forks-"))
    address = folder / "socket"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(address))
    listening.listen(64)
    call = "from tests.stages.fork_server import serve, finish; finish(serve({}))"
    others = ("DVC_", "MLFLOW_", "PYTEST_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    process = subprocess.Popen(
        [sys.executable, "-c", call.format(listening.fileno())],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdin=subprocess.PIPE,  # closed when this process ends, however it does
        pass_fds=[listening.fileno()],
        start_new_session=True,
    )
    listening.close()
    _started.append(process)
    settings = {
        "python": sys.executable,
        "socket": str(address),
        "prefixes": READ_AT_START,
        "at start": {k: v for k, v in environment.items() if k.startswith(READ_AT_START)},
    }
    text = CLIENT.read_text().replace("SETTINGS = {}", f"SETTINGS = {settings!r}")
    for name in ("python", "dvc"):
        script = folder / name
        script.write_text(f"#!{sys.executable} -IS\n{text}")
        script.chmod(0o755)
    return folder


_started: list[subprocess.Popen[bytes]] = []  # kept, or its pipe would close


def serve(listening: int) -> Callable[[], object]:
    """Returns in each fork alone, with what it runs; the server leaves by os._exit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in LIBRARIES:
        importlib.import_module(name)
    with contextlib.suppress(ImportError, AttributeError):  # MLflow lists all packages once
        importlib.import_module("mlflow.utils.requirements_utils")._init_packages_to_modules_map()
    logging.basicConfig(handlers=[], level=logging.WARNING, force=True)  # one of them has set it
    others = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
    assert not others, f"fork server: a library has started threads (got {others}). Load it later."
    gc.collect()
    gc.freeze()  # a fork that looked for garbage in them would copy their memory
    door = socket.socket(fileno=listening)
    events = selectors.DefaultSelector()
    events.register(door, selectors.EVENT_READ, "start")
    events.register(0, selectors.EVENT_READ, "end")
    running: dict[int, tuple[int, socket.socket]] = {}  # by pidfd: process, client
    while True:
        for key, _ in events.select():
            if key.data == "start":
                client, _ = door.accept()
                request, streams = receive(client)
                if request is None:
                    client.close()
                    continue
                pid = os.fork()
                if not pid:
                    events.close()
                    for other in [door, client, *(client for _, client in running.values())]:
                        other.close()
                    for handle in running:
                        os.close(handle)
                    return become(request, streams)
                for stream in streams:
                    os.close(stream)
                client.sendall(pid.to_bytes(4, "little"))
                handle = os.pidfd_open(pid)
                running[handle] = (pid, client)
                events.register(handle, selectors.EVENT_READ, "ended")
                events.register(client, selectors.EVENT_READ, handle)
            elif key.data == "end":  # of the tests
                for pid, _ in running.values():
                    os.kill(pid, signal.SIGKILL)
                shutil.rmtree(Path(door.getsockname()).parent)
                os._exit(0)
            else:  # a process has ended, or its client was killed and the process follows
                handle = key.fd if key.data == "ended" else key.data
                if handle not in running:
                    continue
                pid, client = running.pop(handle)
                if key.data != "ended":
                    os.kill(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
                events.unregister(handle)
                events.unregister(client)
                os.close(handle)
                if key.data == "ended":
                    client.sendall(status.to_bytes(4, "little"))
                client.close()


def receive(client: socket.socket) -> tuple[dict | None, list[int]]:
    """What a client asks for, and its three streams; None if it was killed meanwhile."""
    streams = array.array("i")
    first, ancillary, _, _ = client.recvmsg(8, socket.CMSG_LEN(3 * streams.itemsize))
    for _, _, data in ancillary:
        streams.frombytes(data)
    text = b""
    while first and len(text) < int.from_bytes(first, "little"):
        part = client.recv(1 << 20)
        if not part:
            break
        text += part
    if not first or len(text) < int.from_bytes(first, "little"):
        return None, []
    return json.loads(text), list(streams)


def become(request: dict, streams: list[int]) -> Callable[[], object]:
    """Makes this fork what the client would have been; what it then runs."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.umask(request["umask"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    module, *words = request["words"]
    sys.argv = [module, *words]
    if module == "dvc":
        sys.path[0] = str(Path(sys.executable).parent)  # as for its script
        return lambda: sys.exit(importlib.import_module("dvc.cli").main())
    return lambda: runpy._run_module_as_main(module)


def finish(run: Callable[[], object]) -> None:
    """Runs it and ends this fork as Python ends, but without freeing each object one by one."""
    code: object = 0
    try:
        run()
    except SystemExit as error:
        code = error.code
    except BaseException:  # noqa: BLE001 - as Python itself does
        traceback.print_exc()
        code = 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # waits for threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)
