"""The command `srmodels`: enlarge pictures, score a generator, print scores.

PyTorch and its friends are imported inside the commands, so that `srmodels --help` is immediate.
"""

import json
import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from srmodels.errors import SrmodelsError

__all__ = ["app", "main"]

log = logging.getLogger(__name__)

_REPOSITORY = Path(__file__).resolve().parents[2]
_BICUBIC = "bicubic"

app = typer.Typer(
    help="Super-resolution: photographs in, larger photographs out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class PrecisionName(StrEnum):
    """What the network computes in."""

    FP32 = "fp32"
    BF16 = "bf16"


Tile = Annotated[int, typer.Option(min=32, help="Side of a tile in pixels of the input.")]
Device = Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")]


@app.command()
def upscale(  # noqa: PLR0917 - typer names them
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Pictures, RAW included.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder, or a .png, .jpg, .webp or .tif file.")
    ],
    weights: Annotated[
        Path,
        typer.Option(
            help="A generator's safetensors file.",
            show_default="weights/generator.safetensors of the repository",
        ),
    ] = _REPOSITORY / "weights" / "generator.safetensors",
    tile: Tile = 256,
    device: Device = "auto",
    precision: Annotated[
        PrecisionName, typer.Option(help="bf16 is faster on recent processors.")
    ] = PrecisionName.FP32,
) -> None:
    """Enlarge pictures with a trained generator."""
    from srmodels.inference.batch import plan, upscale_files
    from srmodels.inference.device import device_named
    from srmodels.inference.generator import load

    pairs = plan(inputs, output)
    chosen = device_named(device)
    generator = load(weights, device=chosen, tile=tile, precision=precision.value)
    log.info("%s, %d times larger, on %s", generator.name, generator.scale, chosen)
    failed = upscale_files(pairs, generator)
    typer.echo(f"{len(pairs) - len(failed)} of {len(pairs)} pictures written to {output}")
    if failed:
        raise typer.Exit(1)


@app.command()
def evaluate(  # noqa: PLR0917 - typer names them
    weights: Annotated[str, typer.Argument(help="A generator's safetensors file, or bicubic.")],
    data: Annotated[Path, typer.Option(help="A folder of HR pictures.")],
    output: Annotated[
        Path | None, typer.Option("--json", help="Where to write the scores and their protocol.")
    ] = None,
    scale: Annotated[int, typer.Option(min=2, max=8, help="For bicubic only.")] = 4,
    tile: Tile = 256,
    device: Device = "auto",
) -> None:
    """Score a generator on whole pictures, bicubic beside it."""
    from srmodels.data.source import whole_images
    from srmodels.evaluation import scores
    from srmodels.evaluation.table import short_table
    from srmodels.inference.device import device_named
    from srmodels.inference.generator import load
    from srmodels.snapshot import write_bytes

    upscalers: dict[str, scores.Upscaler] = {}
    parameters = 0
    if weights != _BICUBIC:
        generator = load(Path(weights), device=device_named(device), tile=tile)
        upscalers, scale = {"generator": generator}, generator.scale
        parameters = generator.parameters
    table = scores.evaluate(upscalers, whole_images(data), scale=scale)
    metrics = {
        data.resolve().name: scores.means(table),
        "protocol": scores.protocol(scale),
        "parameters": parameters,
    }
    typer.echo(short_table(metrics))
    if output is not None:
        write_bytes(output, (json.dumps(metrics, indent=2) + "\n").encode())


@app.command("scores")
def print_scores(
    file: Annotated[
        Path, typer.Argument(help="A metrics file.", show_default="metrics/evaluate.json")
    ] = Path("metrics/evaluate.json"),
    markdown: Annotated[bool, typer.Option("--markdown", help="As a Markdown table.")] = False,
) -> None:
    """Print the short table of a metrics file."""
    from srmodels.evaluation.table import read_metrics, short_table

    typer.echo(short_table(read_metrics(file), markdown=markdown))


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
