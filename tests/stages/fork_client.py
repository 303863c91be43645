"""The `python` and `dvc` that `tests.stages.fork_server` puts on the path of what tests start.

It is to start in a few milliseconds, so it does without pathlib.
"""

import os
import signal
import socket
import sys

SETTINGS = {}  # written by `commands`


def wanted() -> list[str] | None:
    """The module and its words, where the server runs them."""
    name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    here = {k: v for k, v in os.environ.items() if k.startswith(SETTINGS["prefixes"])}
    if here != SETTINGS["at start"]:
        return None
    if name == "dvc":
        return ["dvc", *words]
    if words[:1] == ["-m"] and words[1:2] and words[1].split(".")[0] in ("stages", "srmodels"):
        return words[1:]
    return None


def ask(words: list[str]) -> int:
    """Has the server run them; the status of the process, as waitpid gives it."""
    import json

    umask = os.umask(0)
    os.umask(umask)
    request = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}
    text = json.dumps(request | {"umask": umask}).encode()
    server = socket.socket(socket.AF_UNIX)
    server.connect(SETTINGS["socket"])
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # until there is a process to pass them to
    socket.send_fds(server, [len(text).to_bytes(8, "little")], [0, 1, 2])
    server.sendall(text)
    pid = int.from_bytes(server.recv(4), "little")
    for number in signals:
        signal.signal(number, lambda number, _: pid and os.kill(pid, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    answer = server.recv(4)
    if len(answer) < 4:
        sys.exit("fork server: it ended before the command did. See its output above.")
    return int.from_bytes(answer, "little")


def main() -> None:
    words = wanted()
    if words is None:
        python = SETTINGS["python"]
        named = sys.argv[0].endswith("dvc")
        script = [os.path.join(os.path.dirname(python), "dvc")] if named else []
        os.execv(python, [python, *script, *sys.argv[1:]])
    code = os.waitstatus_to_exitcode(ask(words))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


main()
