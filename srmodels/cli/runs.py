"""The commands `srmodels runs` and `srmodels register`: experiments in MLflow, models by name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from srmodels.runs.experiments import Run

__all__ = ["register", "runs"]

_NAME = "An experiment, a git revision or workspace."


def _run(name: str) -> "Run":
    from srmodels.comparison.sources import find_source
    from srmodels.runs.experiments import run_of

    lock = find_source(name, root=Path()).read("dvc.lock") or b""
    return run_of(name, lock.decode(), root=Path())


def runs(
    names: Annotated[list[str] | None, typer.Argument(metavar="[A B...]", help=_NAME)] = None,
    newest: Annotated[
        int, typer.Option(min=1, max=100, help="How many, where none is named.")
    ] = 10,
) -> None:
    """Print the MLflow runs of experiments, and the page that compares their curves."""
    from srmodels.errors import TrainingError
    from srmodels.runs.experiments import newest as newest_runs
    from srmodels.runs.store import comparison_page, run_page

    found = [_run(name) for name in names] if names else newest_runs(newest, root=Path())
    if not found:
        raise TrainingError("MLflow: no run yet; `dvc repro` makes one")
    labels = names or [run.name for run in found]
    width, models = max(map(len, labels)), max(len(run.model) for run in found)
    for label, run in zip(labels, found, strict=True):
        page = run_page(run.experiment, run.id)
        typer.echo(f"{label:{width}}  {run.model:{models}}  {run.status:8}  {page}")
    page = comparison_page(found[0].experiment, [run.id for run in found] if names else ())
    typer.echo(f"compared: {page}")


def register(
    experiment: Annotated[str, typer.Argument(help=_NAME)],
    name: Annotated[str, typer.Argument(help="In MLflow's registry, such as srgan.")],
    alias: Annotated[
        str | None, typer.Option(help="Of this version from now on, such as champion.")
    ] = None,
) -> None:
    """Register an experiment's generator: --weights models:/NAME@ALIAS then means it."""
    from srmodels.runs.registry import register as give_name

    typer.echo(give_name(_run(experiment), name, alias=alias, root=Path()))
