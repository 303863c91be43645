"""The command `srmodels export`: a generator in other formats, or a folder to publish."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["export"]


def export(
    weights: Annotated[
        str, typer.Argument(help="A file of weights, or a name of `srmodels weights`.")
    ],
    output_name: Annotated[
        str,
        typer.Option("--output", "-o", help="A file, or a folder: a new one with a dot ends in /."),
    ],
    file_format: Annotated[
        Literal["safetensors", "pth", "onnx", "pt2", "ncnn", "all"] | None,
        typer.Option(
            "--format",
            help="all: a folder to publish, with every format but ncnn's.",
            show_default="the suffix of -o; all for a folder",
        ),
    ] = None,
    license: Annotated[  # noqa: A002 - the option's name
        str, typer.Option(help="Licence of the weights for the model card, such as cc-by-4.0.")
    ] = "unknown",
) -> None:
    """Export a generator as safetensors, .pth, ONNX, pt2 or ncnn, or a folder with a model card.

    For ncnn, -o NAME.ncnn writes NAME.param and NAME.bin.
    """
    from srmodels.errors import ConfigError
    from srmodels.export.export import FORMATS, read_generator, written
    from srmodels.export.export import export as export_file
    from srmodels.export.model_card import check_license
    from srmodels.export.model_folder import write_folder
    from srmodels.inference.weights.registry import weights_file

    check_license(license)
    output = Path(output_name)
    suffix = next((name for name in FORMATS if output.suffix.lower() == f".{name}"), None)
    chosen = file_format or suffix or "all"
    if suffix not in (None, chosen):
        raise ConfigError(
            f"-o {output}: the suffix contradicts --format (got {chosen}). Omit --format, or name "
            "a folder."
        )
    if suffix is None and output.suffix and not (output_name.endswith("/") or output.is_dir()):
        raise ConfigError(
            f"-o {output}: unknown format (got {output.suffix!r}). Use one of "
            f"{', '.join(f'.{name}' for name in FORMATS)}, or end a folder's name with /."
        )
    source = weights_file(weights)
    if output.resolve() == source.resolve():
        raise ConfigError(f"-o {output}: this is the input file. Name another output file.")
    generator = read_generator(source)
    if chosen == "all":
        write_folder(generator, output, weights=source, license=license)
        typer.echo(f"{output}: publish it with `hf upload NAME {output}`")
        return
    path = output if suffix else output / f"{source.stem}.{chosen}"
    export_file(generator, path, file_format=chosen)
    for file in written(path, chosen):
        typer.echo(file)
