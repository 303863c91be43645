"""Weights by a name in MLflow's registry; MLflow is imported only for such a name."""

from pathlib import Path

from srmodels.machine import repository

__all__ = ["weights_file"]


def weights_file(weights: str | Path) -> Path:
    """The local file for --weights: a path, or models:/NAME@ALIAS, /VERSION or /latest, cached.

    Raises:
        WeightsError: There is no such model, this project did not log it, or it is damaged.
        TrainingError: There is no tracking store, or the server cannot be reached.
        DataError: The cache cannot be written to.
    """
    if not str(weights).startswith("models:/"):
        return Path(weights)
    from srmodels.runs.registry import fetch

    return fetch(str(weights), root=repository())
