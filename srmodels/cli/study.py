"""The command `srmodels study`: from a folder of photographs to a verdict."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from srmodels.cli.options import Device

__all__ = ["study"]


def _check_before(folder: str, recipes: Sequence[str], preset: str, output: Path) -> None:
    """Raises for what would end the study later, when params.yaml has changed."""
    from srmodels.cli.use import checked_photographs
    from srmodels.config import check
    from srmodels.data.photos.settings import PhotosSettings
    from srmodels.errors import ConfigError
    from srmodels.study.photographs import check_names
    from srmodels.study.plan import check_recipes, read_settings

    values = read_settings(Path())
    check_recipes(values, recipes, preset)
    if output.is_dir():
        raise ConfigError(f"--output: is a folder (got {str(output)!r}). Name an .html file.")
    photos, files, _ = checked_photographs(folder)
    if files:  # of a set, only the stage photos knows them
        names = [file.relative_to(photos).as_posix() for file in files]
        check_names(names, check(values["data"], PhotosSettings, "data"))


def study(  # noqa: PLR0917 - typer passes them by name
    folder: Annotated[str, typer.Argument(help="A folder of photographs, a set's name, or auto.")],
    recipes: Annotated[
        list[str], typer.Argument(help="Such as srgan esrgan; all are compared with the first.")
    ],
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each recipe.")] = 3,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="Of each training, measured here.", show_default="the preset's steps"
        ),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(help="In matched, all recipes have the same data, steps and optimizer."),
    ] = "matched",
    jobs: Annotated[
        int | None, typer.Option(min=1, help="At once.", show_default="2 on a CPU, 1 on a GPU")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="An .html file.")] = Path(
        "study.html"
    ),
    device: Device = "auto",
) -> None:
    """Train recipes on your photographs with several seeds, and say which is better in what.

    Prints the commands of DVC that it runs. Interrupted and called again, it goes on.
    """
    from srmodels.atomic import write_bytes
    from srmodels.cli.use import set_value, use
    from srmodels.comparison.gallery import build_gallery
    from srmodels.comparison.report import Section, render_report
    from srmodels.comparison.sample_images import ImageOptions
    from srmodels.comparison.selection import named_experiments
    from srmodels.inference.weights.open_weights import open_weights
    from srmodels.machine import cores, resolve_device
    from srmodels.runs.times import minutes_by_weights
    from srmodels.study.run import alone, train
    from srmodels.study.verdict import lead_of, verdicts

    root, chosen = Path(), resolve_device(device)
    _check_before(folder, recipes, preset, output)
    workers = jobs or (1 if chosen.type == "cuda" else min(2, cores()))
    try:
        with alone(root):  # before params.yaml changes, which the other study reads
            typer.echo(f"$ srmodels use {folder}")
            use(folder)
            set_value("preset", preset)
            plan = train(
                recipes, preset=preset, seeds=seeds, minutes=minutes, jobs=workers, root=root
            )
    except KeyboardInterrupt:
        typer.echo(
            "\nstudy: interrupted. Trainings that run go on in the background; `dvc queue stop "
            "--kill` ends them. The same command goes on where this one was.",
            err=True,
        )
        raise typer.Exit(1) from None
    trainings = plan.trainings()
    experiments, notes = named_experiments([one.name for one in trainings], root=root)
    by_name = {experiment.name: experiment for experiment in experiments}
    groups = {
        recipe: [by_name[one.name] for one in trainings if one.recipe == recipe]
        for recipe in recipes
    }
    tracked = minutes_by_weights(root)
    firsts = [members[0] for members in groups.values()]
    options = ImageOptions(folder=root / "data" / "patches" / "test", pictures=4, crops=3)
    gallery = build_gallery(firsts, options, load=partial(open_weights, device=chosen), root=root)
    lead = lead_of(
        groups,
        plan,
        gallery.images,
        shown=[recipes[position] for position in gallery.shown],
        minutes=tracked,
        commands=[f"srmodels use {folder}", *plan.commands(workers)],
        root=root,
    )
    rest = [one for one in experiments if one not in firsts]
    section = Section(experiments=[*firsts, *rest], gallery=gallery)
    text = render_report([section], notes=notes, root=root, minutes=tracked, lead=lead)
    write_bytes(output, text.encode())
    for reason in gallery.reasons:
        typer.echo(reason, err=True)
    for verdict in verdicts(groups):
        typer.echo(verdict.sentence())
    typer.echo(f"{output}: {len(experiments)} trainings; {len(text) / 1e6:.1f} MB")
    typer.echo(
        "params.yaml and dvc.lock are the study's. Back to the commit: "
        "git checkout HEAD params.yaml dvc.lock metrics && dvc checkout"
    )
