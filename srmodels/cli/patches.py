"""The commands `srmodels patches ...`: look at the patches that are trained on."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    help="Look at the patches that are trained on.", no_args_is_help=True, rich_markup_mode=None
)


class EnlargingName(StrEnum):
    """How an LR patch is brought to the size of its HR patch."""

    NEAREST = "nearest"
    BICUBIC = "bicubic"


@app.callback()
def patches() -> None:
    """Look at the patches that are trained on."""


@app.command()
def show(
    data: Annotated[Path, typer.Option(help="What the stage `patches` wrote.")] = Path(
        "data/patches"
    ),
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many pairs.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another sample.")] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .png, .jpg, .webp or .tif file.")
    ] = Path("patches.png"),
    scale_lr: Annotated[
        EnlargingName, typer.Option(help="How LR is enlarged.")
    ] = EnlargingName.NEAREST,
) -> None:
    """Draw a random sample of patches: HR beside LR, with name, box, sharpness, shard:row."""
    from srmodels.data.store.contact_sheet import contact_sheet, sample
    from srmodels.data.store.reader import PatchStore
    from srmodels.images.writers.write import write_picture

    store = PatchStore(data / "train")
    rows = sample(store, count, seed=seed)
    write_picture(output, contact_sheet(store, rows, scale_lr=scale_lr.value))
    typer.echo(f"{len(rows)} of {len(store)} pairs: {output}")
