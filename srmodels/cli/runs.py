"""The commands `srmodels list`, `runs` and `register`: experiments, MLflow runs, models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srmodels.cli.root import check_root

if TYPE_CHECKING:
    from srmodels.runs.experiments import Run

__all__ = ["list_experiments", "register", "runs"]

_NAME = "An experiment, a git revision or workspace."


def _find_run(name: str) -> "Run":
    from srmodels.comparison.sources import find_source
    from srmodels.runs.experiments import run_of

    check_root([name])
    lock = find_source(name, root=Path()).read("dvc.lock") or b""
    return run_of(name, lock.decode(), root=Path())


def runs(
    names: Annotated[list[str] | None, typer.Argument(metavar="[A B...]", help=_NAME)] = None,
    newest: Annotated[
        int, typer.Option(min=1, max=100, help="Number of runs to list if no name is given.")
    ] = 10,
) -> None:
    """Print the MLflow runs of experiments and the URL of the page that compares them."""
    from srmodels.errors import TrainingError
    from srmodels.runs.experiments import newest as newest_runs
    from srmodels.runs.store import comparison_page, run_page

    listed = [_find_run(name) for name in names] if names else newest_runs(newest, root=Path())
    if not listed:
        raise TrainingError("MLflow: no run yet. Start one with `dvc repro`.")
    labels = names or [run.name for run in listed]
    label_width, model_width = max(map(len, labels)), max(len(run.model) for run in listed)
    for label, run in zip(labels, listed, strict=True):
        page = run_page(run.experiment, run.id)
        typer.echo(f"{label:{label_width}}  {run.model:{model_width}}  {run.status:8}  {page}")
    page = comparison_page(listed[0].experiment, [run.id for run in listed] if names else ())
    typer.echo(f"compared: {page}")


def register(
    experiment: Annotated[str, typer.Argument(help=_NAME)],
    name: Annotated[str, typer.Argument(help="Name of the registered model, such as srgan.")],
    alias: Annotated[
        str | None, typer.Option(help="Alias to set on this version, such as champion.")
    ] = None,
) -> None:
    """Register an experiment's generator, for use as --weights models:/NAME@ALIAS."""
    from srmodels.runs.registry import register as register_model

    typer.echo(register_model(_find_run(experiment), name, alias=alias, root=Path()))


def list_experiments(
    test_set: Annotated[
        str, typer.Option("--set", metavar="SET", help="Whose scores, such as Set5.")
    ] = "test",
    sort: Annotated[str, typer.Option(help="date, name, recipe, psnr, lpips or minutes.")] = "date",
) -> None:
    """List all experiments with scores, minutes of training and date, at most 100 columns wide.

    Also those that only DVC's cache still has. Between blank lines all have the same test images.
    """
    from srmodels.comparison.listing import experiment_table
    from srmodels.comparison.selection import all_experiments
    from srmodels.runs.times import minutes_by_weights

    check_root()
    root = Path()
    groups, _ = all_experiments(root)
    minutes = minutes_by_weights(root)
    typer.echo(experiment_table(groups, test_set=test_set, sort=sort, minutes=minutes, root=root))
