"""Runs and prints the commands of a study."""

import shlex
import subprocess
import sys
from pathlib import Path

import typer

from srmodels.errors import TrainingError

_FAULT = ("error: ", "ERROR: ")


def fault_in(output: str) -> str:
    """The last line of an output that tells a fault, without its mark; "" if there is none."""
    lines = [line.strip() for line in output.splitlines() if line.strip().startswith(_FAULT)]
    ours = [line for line in lines if line.startswith(_FAULT[0])]  # a stage's line says more
    return (ours or lines or [""])[-1].partition(": ")[2]


def dvc(*words: str, root: Path, show: bool = True) -> str:
    """Prints and runs a DVC command, and prints its lines as they come.

    Args:
        words: Of the command, after `dvc`.
        root: The repository.
        show: False prints neither.

    Returns:
        The output.

    Raises:
        TrainingError: The command fails; the message is that of the stage.
    """
    if show:
        typer.echo(f"$ {shlex.join(['dvc', *words])}")
    process = subprocess.Popen(  # noqa: S603 - no shell
        [sys.executable, "-m", "dvc", *words],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines = []
    assert process.stdout is not None, "a pipe was asked for"
    for line in process.stdout:
        lines.append(line)
        if show:
            typer.echo(f"  {line}", nl=False)
    output = "".join(lines)
    if process.wait():
        last = lines[-1].strip() if lines else "no output"
        raise TrainingError(fault_in(output) or f"dvc {words[0]}: failed (got {last})")
    return output
