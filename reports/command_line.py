"""What the commands of this package share: `python -m reports.results` and the others."""

import subprocess
import sys
from pathlib import Path

import typer

from srmodels.errors import ProtocolError, SrmodelsError

ROOT = Path(__file__).resolve().parents[1]


def git(*words: str) -> bytes:
    """The output of git in this repository; a ProtocolError if it fails."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise ProtocolError(f"git {' '.join(words)}: {done.stderr.decode().strip()}")
    return done.stdout


def command_line(description: str) -> typer.Typer:
    """An empty set of commands."""
    return typer.Typer(
        help=description,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def run(app: typer.Typer) -> None:
    """Runs the command of sys.argv; an error of the user is one line."""
    try:
        app()
    except SrmodelsError as error:
        sys.exit(f"error: {error}")
