"""The commands `srmodels compare` and `srmodels report`: experiments side by side."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from srmodels.cli.options import Device
from srmodels.cli.root import check_root

__all__ = ["compare", "report"]

Model = Annotated[
    str | None,
    typer.Option(help="Row such as pretrained.", show_default="the final generator"),
]
_NAMES = "Experiments, git revisions, workspace, metrics/*.json or per_image.csv files."


def compare(
    names: Annotated[list[str], typer.Argument(metavar="A B...", help=_NAMES)],
    model: Model = None,
) -> None:
    """Compare experiments with the first one, image by image: better, worse, or no difference.

    Scores whose best value is 0 or 1 are compared by their distance from that value.
    """
    from srmodels.comparison.selection import named_experiments
    from srmodels.comparison.text_table import difference_table, small_set_notes
    from srmodels.errors import ConfigError

    if len(set(names)) < 2:
        raise ConfigError(f"compare: only one experiment (got {names[0]}). Name two or more.")
    check_root(names)
    experiments, notes = named_experiments(names, root=Path(), model=model)
    typer.echo(difference_table(experiments))
    for note in [*small_set_notes(experiments), *notes]:
        typer.echo(note)


def report(  # noqa: PLR0917 - typer passes them by name
    names: Annotated[list[str] | None, typer.Argument(metavar="[A B...]", help=_NAMES)] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="An .html file.")] = Path(
        "report.html"
    ),
    model: Model = None,
    data: Annotated[Path, typer.Option(help="Folder of HR images to show.")] = Path(
        "data/patches/test"
    ),
    pictures: Annotated[int, typer.Option(min=0, max=20, help="Number of images to show.")] = 4,
    crops: Annotated[int, typer.Option(min=1, max=12, help="Enlarged crops per image.")] = 3,
    device: Device = "auto",
) -> None:
    """Write an HTML report of experiments; without names, of all, by test set."""
    from srmodels.atomic import write_bytes
    from srmodels.comparison.gallery import build_gallery, find_test_images
    from srmodels.comparison.report import Section, render_report
    from srmodels.comparison.sample_images import ImageOptions
    from srmodels.comparison.selection import all_experiments, named_experiments
    from srmodels.comparison.sources import WORKSPACE
    from srmodels.inference.weights.open_weights import open_weights
    from srmodels.machine import resolve_device
    from srmodels.runs.times import minutes_by_weights

    check_root(names or [WORKSPACE])
    root, load_weights = Path(), partial(open_weights, device=resolve_device(device))
    if names:
        experiments, notes = named_experiments(names, root=root, model=model)
        groups = [experiments]
    else:
        groups, notes = all_experiments(root, model=model)
    sections = []
    for group in groups:
        with TemporaryDirectory() as fetched:
            folder = find_test_images(group[0], data, Path(fetched), root=root)
            options = ImageOptions(folder=folder, pictures=pictures, crops=crops)
            gallery = build_gallery(group, options, load=load_weights, root=root)
        sections.append(Section(experiments=group, gallery=gallery))
    text = render_report(sections, notes=notes, root=root, minutes=minutes_by_weights(root))
    write_bytes(output, text.encode())
    reasons = [reason for section in sections for reason in section.gallery.reasons]
    for note in [*reasons, *notes]:
        typer.echo(note, err=True)
    shown = ", ".join(experiment.name for group in groups for experiment in group)
    typer.echo(f"{output}: {shown}; {len(text) / 1e6:.1f} MB")
