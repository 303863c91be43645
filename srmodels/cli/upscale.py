"""The command `srmodels upscale`: enlarge image files."""

import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srmodels.cli.options import Device, Engine, MaxPixels, Precision, Tile
from srmodels.cli.weights import trained_for
from srmodels.errors import ConfigError
from srmodels.machine import let_idle_threads_sleep, repository, stream_is_closed

if TYPE_CHECKING:
    from srmodels.inference.files.upscale_files import Outcome

__all__ = ["upscale"]

log = logging.getLogger(__name__)

_DEFAULT_WEIGHTS = str(repository() / "weights" / "generator.safetensors")
_PIPE = "-"


def _print_outcome(outcome: "Outcome", *, count: int, output: str) -> None:
    """Prints how many images were written, to stderr if an image went to stdout."""
    older = f", {outcome.older} of them older than the input" if outcome.older else ""
    counts = [
        f"{outcome.existing} were there already{older}" if outcome.existing else "",
        f"{len(outcome.failed)} failed" if outcome.failed else "",
    ]
    text = "; ".join(filter(None, counts))
    typer.echo(
        f"{outcome.written} of {count} pictures written to {output}{f' ({text})' if text else ''}",
        err=output == _PIPE,
    )
    if outcome.failed:
        if count > 1:
            typer.echo("\n".join(f"  {message}" for message in outcome.failed), err=True)
        raise typer.Exit(1)


def upscale(  # noqa: PLR0917 - typer passes them by name
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="IN...",
            help="Images (camera RAW and HEIC, too), folders, quoted patterns such as "
            "'a/**/*.jpg', or - for standard input.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="A folder; or, for one image, a .png, .jpg, .webp, .tif, .heic or .avif file, or "
            "- for standard output.",
        ),
    ],
    weights: Annotated[
        str,
        typer.Option(
            help="A name of `srmodels weights` such as realesrgan-x4plus, a file of weights, or "
            "models:/NAME@ALIAS.",
            show_default="weights/generator.safetensors of the repository",
        ),
    ] = _DEFAULT_WEIGHTS,
    strength: Annotated[
        float | None,
        typer.Option(
            help="Mix of weights: 0 for the pretrained ones, 1 for the GAN's. Less is smoother.",
            show_default="1",
        ),
    ] = None,
    pretrained: Annotated[
        Path | None,
        typer.Option(
            help="The pretrained weights for --strength.",
            show_default="pretrained.safetensors beside the weights",
        ),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="png, jpeg, webp, tiff, heic or avif.", show_default="png"),
    ] = None,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Quality of lossy formats.")] = 95,
    scale: Annotated[
        float | None, typer.Option(help="Scale factor.", show_default="the generator's scale")
    ] = None,
    max_side: Annotated[int | None, typer.Option(min=1, help="Longest side of the result.")] = None,
    bits: Annotated[
        int | None,
        typer.Option(help="8 or 16 bits per channel.", show_default="as the input; 8 for RAW"),
    ] = None,
    consistent: Annotated[
        bool,
        typer.Option("--consistent", help="Back-project until the downscaled result is the input."),
    ] = False,
    samples: Annotated[int, typer.Option(min=0, max=1000, help="Samples per image of a VAE.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the samples.")] = 0,
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing",
            help="Skip images whose results exist, by name: that of another IMG_0001 counts, too.",
        ),
    ] = False,
    max_pixels: MaxPixels = 250_000_000,
    tile: Tile = 256,
    device: Device = "auto",
    precision: Precision = "auto",
    engine: Engine = "torch",
) -> None:
    """Enlarge images; 16 bits, grey, transparency, colour profile and EXIF are kept.

    Samples of a VAE are written as NAME-1, NAME-2 and so on.
    """
    let_idle_threads_sleep()
    from srmodels.images.writers.formats import format_named
    from srmodels.inference.files.enlarge import OutputOptions, passes
    from srmodels.inference.files.plan import plan
    from srmodels.inference.files.upscale_files import upscale_files
    from srmodels.inference.generators.generator import with_engine
    from srmodels.inference.tiling.device import resolve_precision
    from srmodels.inference.weights.open_weights import open_mixed, open_weights
    from srmodels.inference.weights.registry import REGISTERED, weights_file
    from srmodels.machine import keep_freed_memory, resolve_device

    if scale is not None and not 1 <= scale < float("inf"):
        raise ConfigError(f"--scale: not a factor of 1 or more (got {scale:g}). Choose another.")
    if strength is not None and not 0 <= strength <= 1:
        raise ConfigError(f"--strength: out of range (got {strength:g}). Use 0 to 1.")
    if strength is None and pretrained is not None:
        raise ConfigError("--pretrained: has no effect alone. Give --strength, too.")
    if bits not in (None, 8, 16):
        raise ConfigError(f"--bits: unsupported depth (got {bits}). Choose 8 or 16.")
    kind = format_named(file_format) if file_format else None
    tasks = plan(inputs, output, file_format=kind, samples=samples)
    if bits == 16 and not tasks[0].file_format.has_16bit:
        raise ConfigError(
            f"--bits: {tasks[0].file_format.name} stores 8 bits (got 16). Write png or tiff."
        )
    if output == _PIPE and stream_is_closed(sys.stdout):
        raise ConfigError("-o -: standard output is closed. Redirect it to a file or program.")
    if output == _PIPE and sys.stdout.isatty():
        raise ConfigError("-o -: standard output is a terminal. Redirect it to a file or program.")
    torch_device = resolve_device(device)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that partial files are deleted
    path = weights_file(weights)
    if strength is None:
        generator = open_weights(path, device=torch_device, tile=tile, precision=precision)
    else:
        start = pretrained or path.with_name("pretrained.safetensors")
        if not start.is_file():
            raise ConfigError(
                f"--strength: no pretrained weights (got {start}). Name the file with --pretrained."
            )
        generator = open_mixed(
            path, start, strength, device=torch_device, tile=tile, precision=precision
        )
    generator = with_engine(generator, engine)
    if torch_device.type == "cpu":
        keep_freed_memory()
    passes(scale or generator.scale, generator.scale)  # raises if the scale is too large
    if samples and not generator.has_samples:
        raise ConfigError(
            f"--samples: {generator.name} is not a VAE (got {samples}). Use a VAE's weights."
        )
    log.info(
        "%s: %s, scale %d, on %s in %s%s; trained for %s",
        weights if weights.startswith(REGISTERED) else path.stem,
        generator.name,
        generator.scale,
        torch_device,
        resolve_precision(torch_device, precision),
        " by OpenVINO" if engine == "openvino" else "",
        trained_for(weights, path),
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
    _print_outcome(outcome, count=len(tasks), output=output)
