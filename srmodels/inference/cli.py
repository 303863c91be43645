"""The command `srmodels`: enlarge pictures, score a generator, print scores.

PyTorch and its friends are imported inside the commands, so that `srmodels --help` is immediate.
"""

import logging
import sys

import typer

from srmodels.errors import SrmodelsError
from srmodels.inference import (
    compare_commands,
    data_commands,
    demo_commands,
    evaluate_commands,
    export_commands,
    patches_commands,
    registry_commands,
    upscale_commands,
)

__all__ = ["app", "main"]

app = typer.Typer(
    help="Super-resolution: photographs in, larger photographs out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


app.command()(upscale_commands.upscale)
app.command()(evaluate_commands.evaluate)
app.command("scores")(evaluate_commands.print_scores)
app.command()(export_commands.export)
app.command()(demo_commands.demo)
app.command()(data_commands.download)
app.command()(compare_commands.compare)
app.command()(compare_commands.report)
app.command()(registry_commands.runs)
app.command()(registry_commands.register)
app.add_typer(patches_commands.app, name="patches")


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
