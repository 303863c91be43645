"""Entry point of the command `srmodels`.

Commands import PyTorch inside their functions, so that `srmodels --help` prints at once.
"""

import logging
import sys
from typing import Annotated

import typer

from srmodels import __version__
from srmodels.cli import (
    compare,
    demo,
    download,
    evaluate,
    export,
    machine,
    new,
    patches,
    runs,
    study,
    upscale,
    use,
    weights,
)
from srmodels.errors import SrmodelsError
from srmodels.machine import open_closed_streams

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(upscale.upscale)
app.command()(weights.weights)
app.command()(evaluate.evaluate)
app.command("scores")(evaluate.print_scores)
app.command()(export.export)
app.command()(demo.demo)
app.command()(download.download)
app.command()(compare.compare)
app.command()(compare.report)
app.command()(use.use)
app.command()(study.study)
app.command()(new.new)
app.command("list")(runs.list_experiments)
app.command()(runs.runs)
app.command()(runs.register)
app.command()(machine.machine)
app.add_typer(patches.app, name="patches")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"srmodels {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Image super-resolution: upscale photographs, evaluate and export generators."""


def main() -> None:
    """Runs the command line; a user's error is printed on one line and gives exit code 1."""
    open_closed_streams()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    try:
        app()
    except SrmodelsError as error:
        sys.exit(f"error: {error}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("", "srmodels"):
            raise
        sys.exit(f"error: {error.name}: is not installed. Run: pip install 'srmodels[train]'")
    except OSError as error:
        if error.strerror is None:
            raise
        place = error.filename or "writing"
        sys.exit(f"error: {place}: {error.strerror}. Check disk space and permissions, then retry.")


if __name__ == "__main__":
    main()
