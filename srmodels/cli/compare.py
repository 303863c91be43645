"""The commands `srmodels compare` and `srmodels report`: experiments beside each other."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["compare", "report"]

Model = Annotated[
    str | None,
    typer.Option(help="Which row of each: pretrained, ...", show_default="the final generator"),
]
_NAMES = "Experiments, git revisions, workspace, metrics/*.json or per_image.csv files."


def compare(
    names: Annotated[list[str], typer.Argument(metavar="A B...", help=_NAMES)],
    model: Model = None,
) -> None:
    """Compare experiments with the first, image by image: better, worse, or not shown.

    Where 1 or 0 is best, the verdict is on the distance from it.
    """
    from srmodels.comparison.selection import named_experiments
    from srmodels.comparison.text_table import difference_table, few_notes
    from srmodels.errors import ConfigError

    if len(set(names)) < 2:
        raise ConfigError(f"compare: one experiment alone (found {names[0]}); two are right")
    entries, notes = named_experiments(names, root=Path(), model=model)
    typer.echo(difference_table(entries))
    for note in [*few_notes(entries), *notes]:
        typer.echo(note)


def report(  # noqa: PLR0917 - typer names them
    names: Annotated[list[str] | None, typer.Argument(metavar="[A B...]", help=_NAMES)] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="An .html file.")] = Path(
        "report.html"
    ),
    model: Model = None,
    data: Annotated[Path, typer.Option(help="A folder of HR pictures to show.")] = Path(
        "data/patches/test"
    ),
    pictures: Annotated[int, typer.Option(min=0, max=20, help="How many of them.")] = 4,
    crops: Annotated[int, typer.Option(min=1, max=12, help="Windows of each, enlarged.")] = 3,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
) -> None:
    """Write a report of experiments as one HTML file; without names, of all there are."""
    from srmodels.atomic import write_bytes
    from srmodels.comparison.gallery import gallery
    from srmodels.comparison.report import render_report
    from srmodels.comparison.sample_images import View
    from srmodels.comparison.selection import all_experiments, named_experiments
    from srmodels.inference.tiling.device import resolve_device
    from srmodels.inference.weights.open import load

    root, chosen = Path(), resolve_device(device)
    entries, notes = (
        named_experiments(names, root=root, model=model)
        if names
        else all_experiments(root, model=model)
    )
    view = View(folder=data, pictures=pictures, crops=crops)
    shown = gallery(entries, view, load=partial(load, device=chosen), root=root)
    text = render_report(entries, shown, notes=notes, root=root)
    write_bytes(output, text.encode())
    for note in [*shown.reasons, *notes]:
        typer.echo(note, err=True)
    typer.echo(f"{output}: {', '.join(entry.name for entry in entries)}; {len(text) / 1e6:.1f} MB")
