"""The command `srmodels`: enlarge pictures, score a generator, print scores.

PyTorch and its friends are imported inside the commands, so that `srmodels --help` is immediate.
"""

import logging
import sys

import typer

from srmodels.cli import compare, demo, download, evaluate, export, patches, runs, upscale
from srmodels.errors import SrmodelsError

__all__ = ["app", "main"]

app = typer.Typer(
    help="Super-resolution: photographs in, larger photographs out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


app.command()(upscale.upscale)
app.command()(evaluate.evaluate)
app.command("scores")(evaluate.print_scores)
app.command()(export.export)
app.command()(demo.demo)
app.command()(download.download)
app.command()(compare.compare)
app.command()(compare.report)
app.command()(runs.runs)
app.command()(runs.register)
app.add_typer(patches.app, name="patches")


def main() -> None:
    """Runs the command line; the user's faults become one line and exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    try:
        app()
    except SrmodelsError as error:
        sys.exit(f"error: {error}")
    except OSError as error:  # a full disk, a read-only folder: the machine's, not the code's
        if error.strerror is None:
            raise
        sys.exit(f"error: {error.filename or 'writing'}: {error.strerror}; mend it and repeat")


if __name__ == "__main__":
    main()
