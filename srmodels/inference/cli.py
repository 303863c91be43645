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

from srmodels.errors import ConfigError, SrmodelsError
from srmodels.inference import data_commands, patches_commands

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
Precision = Annotated[PrecisionName, typer.Option(help="bf16 is faster on recent processors.")]


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
    precision: Precision = PrecisionName.FP32,
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
    pretrained: Annotated[
        Path | None, typer.Option(help="The weights the generator began with, for their own row.")
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(help="The generator's share in a mixture with --pretrained's weights."),
    ] = None,
    samples: Annotated[int, typer.Option(help="Of a VAE, for each picture; 0 for none.")] = 5,
    tile: Tile = 256,
    device: Device = "auto",
    precision: Precision = PrecisionName.FP32,
) -> None:
    """Score a generator on whole pictures, bicubic beside it."""
    from srmodels.config import check
    from srmodels.data.source import whole_images
    from srmodels.evaluation.report import metrics_of
    from srmodels.evaluation.samples import Sampling
    from srmodels.evaluation.settings import EvaluateSettings
    from srmodels.evaluation.table import short_table
    from srmodels.inference.device import device_named
    from srmodels.inference.generator import Generator, compared
    from srmodels.snapshot import write_bytes

    check({"alpha": alpha, "samples": samples, "tile": tile}, EvaluateSettings, "evaluate")
    generators: dict[str, Generator] = {}
    if weights != _BICUBIC:
        chosen = device_named(device)
        generators = compared(
            Path(weights),
            pretrained=pretrained,
            alpha=alpha,
            device=chosen,
            tile=tile,
            precision=precision.value,
        )
        scale = generators["generator"].scale
    elif pretrained is not None or alpha is not None:
        raise ConfigError(
            "bicubic: has no weights to mix or to compare (found --pretrained or "
            "--alpha); a generator's file has"
        )
    metrics, _ = metrics_of(
        generators,
        {data.resolve().name: whole_images(data)},
        scale=scale,
        sampling=Sampling(number=samples),
        alpha=alpha,
    )
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


app.command()(data_commands.download)
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
