"""The command `srmodels export`: a generator for other programs, or a folder to publish."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


class FormName(StrEnum):
    """What is written."""

    SAFETENSORS = "safetensors"
    PTH = "pth"
    ONNX = "onnx"
    PT2 = "pt2"
    ALL = "all"


def export(
    weights: Annotated[
        Path, typer.Argument(help="A generator's safetensors file, or public .pth.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A file, or a folder (which --format all needs).")
    ],
    form: Annotated[
        FormName | None,
        typer.Option("--format", help="By default what -o ends in; all: a folder to publish."),
    ] = None,
    license: Annotated[  # noqa: A002 - the option's name
        str, typer.Option(help="The weights' licence for the model card, such as cc-by-4.0.")
    ] = "unknown",
) -> None:
    """Write a generator as safetensors, .pth, ONNX or pt2, or all with a model card."""
    from srmodels.errors import ConfigError
    from srmodels.export.export import FORMS, read
    from srmodels.export.export import export as export_form
    from srmodels.export.model_card import check_license
    from srmodels.export.model_folder import write_folder

    check_license(license)
    ending = output.suffix.removeprefix(".").lower()
    name = form.value if form else ending if ending in FORMS else FormName.ALL.value
    if ending in FORMS and ending != name:
        raise ConfigError(
            f"-o {output}: does not end in what --format says (found {name}); leave "
            "--format out, or name a folder"
        )
    if output.resolve() == weights.resolve():
        raise ConfigError(f"-o {output}: is the file that is exported; name another")
    generator = read(weights)
    chosen = next((each for each in FORMS if each == name), None)
    if chosen is None:
        write_folder(generator, output, weights=weights, license=license)
        typer.echo(f"{output}: publish it with `hf upload NAME {output}`")
        return
    path = output if ending in FORMS else output / f"{weights.stem}.{chosen}"
    export_form(generator, path, form=chosen)
    typer.echo(path)
