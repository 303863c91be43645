"""The commands `srmodels patches ...`: inspect the training patches."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from srmodels.cli.root import check_root

__all__ = ["app"]

_DEFAULT = Path("data/patches")

app = typer.Typer(help="Inspect the training patches.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def patches() -> None:
    """Inspect the training patches."""  # a callback, since one command alone would be no group


@app.command()
def show(
    data: Annotated[Path, typer.Option(help="Output folder of the stage `patches`.")] = _DEFAULT,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Number of LR/HR pairs.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the sample.")] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .png, .jpg, .webp or .tif file.")
    ] = Path("patches.png"),
    scale_lr: Annotated[
        Literal["nearest", "bicubic"], typer.Option(help="Interpolation that enlarges LR.")
    ] = "nearest",
) -> None:
    """Write a contact sheet of random patches: HR beside LR, with name, box, sharpness, row."""
    from srmodels.data.store.contact_sheet import contact_sheet, sample
    from srmodels.data.store.reader import PatchStore
    from srmodels.images.writers.write import write_picture

    if data == _DEFAULT and not data.exists():
        check_root()
    store = PatchStore(data / "train")
    rows = sample(store, count, seed=seed)
    write_picture(output, contact_sheet(store, rows, scale_lr=scale_lr))
    typer.echo(f"{len(rows)} of {len(store)} pairs: {output}")
