"""The command `srmodels upscale`: people's own pictures, larger."""

import logging
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from srmodels.cli.options import Device, Speed, Tile
from srmodels.errors import ConfigError
from srmodels.machine import repository

__all__ = ["upscale"]

if TYPE_CHECKING:
    from srmodels.inference.files.upscale_files import Outcome

log = logging.getLogger(__name__)


_OWN_WEIGHTS = str(repository() / "weights" / "generator.safetensors")
_PIPE = "-"


_In = Annotated[
    list[str],
    typer.Argument(
        metavar="IN...",
        help="Pictures (camera RAW and HEIC, too), folders, quoted patterns such as 'a/**/*.jpg', "
        "or - for standard input.",
    ),
]

_Out = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        help="A folder; or, for one picture, a .png, .jpg, .webp, .tif, .heic or .avif file, or - "
        "for standard output.",
    ),
]

_Weights = Annotated[
    str,
    typer.Option(
        help="A generator's file, other people's too, or models:/NAME@ALIAS.",
        show_default="weights/generator.safetensors of the repository",
    ),
]

_Format = Annotated[
    str | None,
    typer.Option("--format", help="png, jpeg, webp, tiff, heic or avif.", show_default="png"),
]

_Quality = Annotated[int, typer.Option(min=1, max=100, help="Of JPEG, WebP, HEIC and AVIF.")]

_Scale = Annotated[
    float | None,
    typer.Option(help="How many times larger.", show_default="as the generator makes it"),
]

_MaxSide = Annotated[int | None, typer.Option(min=1, help="Of the result, in pixels.")]

_Bits = Annotated[
    int | None,
    typer.Option(help="8 or 16 a channel.", show_default="as the input; 8 of camera RAW"),
]

_Consistent = Annotated[
    bool, typer.Option("--consistent", help="Correct it until, reduced again, it is the input.")
]

_Samples = Annotated[
    int, typer.Option(min=0, max=1000, help="NAME-1 to NAME-N, drawn; of a VAE only.")
]

_Seed = Annotated[int, typer.Option(min=0, help="Another seed, other samples.")]

_Skip = Annotated[
    bool, typer.Option("--skip-existing", help="Leave pictures alone that have their result.")
]

_MaxPixels = Annotated[int, typer.Option(min=1, help="Larger pictures are refused unread.")]


def _check_wish(scale: float | None, bits: int | None) -> None:
    if scale is not None and not 1 <= scale < float("inf"):
        raise ConfigError(f"--scale: reduces or is no number (found {scale:g}); 1 or more is right")
    if bits not in (None, 8, 16):
        raise ConfigError(f"--bits: found {bits}; 8 or 16 is right")


def _report(outcome: "Outcome", *, count: int, output: str) -> None:
    """Prints what became of the pictures; to stderr where a picture went to stdout."""
    beside = [
        f"{outcome.existing} were there already" if outcome.existing else "",
        f"{len(outcome.failed)} failed" if outcome.failed else "",
    ]
    text = "; ".join(filter(None, beside))
    typer.echo(
        f"{outcome.written} of {count} pictures written to {output}{f' ({text})' if text else ''}",
        err=output == _PIPE,
    )
    if outcome.failed:
        if count > 1:
            typer.echo("\n".join(f"  {sentence}" for sentence in outcome.failed), err=True)
        raise typer.Exit(1)


def upscale(  # noqa: PLR0917 - typer names them
    inputs: _In,
    output: _Out,
    weights: _Weights = _OWN_WEIGHTS,
    kind: _Format = None,
    quality: _Quality = 95,
    scale: _Scale = None,
    max_side: _MaxSide = None,
    bits: _Bits = None,
    consistent: _Consistent = False,
    samples: _Samples = 0,
    seed: _Seed = 0,
    skip_existing: _Skip = False,
    max_pixels: _MaxPixels = 250_000_000,
    tile: Tile = 256,
    device: Device = "auto",
    precision: Annotated[
        Speed, typer.Option(help="auto: bf16 where fast, for 8 bits.")
    ] = Speed.AUTO,
) -> None:
    """Enlarge pictures: 16 bits, grey, transparency, colour profile and EXIF are kept."""
    from srmodels.images.writers.formats import format_named
    from srmodels.inference.files.enlarge import OutputOptions, passes
    from srmodels.inference.files.plan import plan
    from srmodels.inference.files.upscale_files import upscale_files
    from srmodels.inference.tiling.device import resolve_device, resolve_precision
    from srmodels.inference.weights.open import open_weights
    from srmodels.inference.weights.registry import weights_file
    from srmodels.machine import keep_freed_memory

    _check_wish(scale, bits)
    tasks = plan(inputs, output, kind=format_named(kind) if kind else None, samples=samples)
    if bits == 16 and not tasks[0].kind.has_16bit:
        raise ConfigError(f"--bits: {tasks[0].kind.name} holds 8 (found 16); png and tiff hold 16")
    if output == _PIPE and sys.stdout.isatty():
        raise ConfigError("-o -: is a terminal; send it to a file or another program")
    chosen = resolve_device(device)
    # so that an interrupted write leaves nothing behind, whoever interrupts it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    generator = open_weights(
        weights_file(weights), device=chosen, tile=tile, precision=precision.value
    )
    if chosen.type == "cpu":
        keep_freed_memory()
    passes(scale or generator.scale, generator.scale)
    if samples and not generator.has_samples:
        raise ConfigError(
            f"--samples: {generator.name} has none (found {samples}); a VAE's weights have"
        )
    log.info(
        "%s, %d times larger, on %s in %s",
        generator.name,
        generator.scale,
        chosen,
        resolve_precision(chosen, precision.value),
    )
    outcome = upscale_files(
        tasks,
        generator,
        OutputOptions(scale=scale, max_side=max_side, bits=bits, consistent=consistent),
        quality=quality,
        max_pixels=max_pixels,
        seed=seed if samples else None,
        skip_existing=skip_existing,
    )
    _report(outcome, count=len(tasks), output=output)
