"""Weights by a name in MLflow's registry, for the commands that take a file.

The only module here that knows of MLflow, and it does so when asked for such a name: a program that
loads a file needs neither MLflow nor its packages.
"""

from pathlib import Path

from srmodels.machine import repository

__all__ = ["weights_file"]

_SCHEME = "models:/"


def weights_file(weights: str | Path) -> Path:
    """The file that is meant by an option such as --weights.

    Args:
        weights: A path, which is returned as it is; or models:/NAME@ALIAS, models:/NAME/VERSION or
            models:/NAME/latest, which is fetched into the cache.

    Raises:
        WeightsError: There is no such model, this project did not log it, or it is damaged.
        TrainingError: There is no store, or the server cannot be reached.
        DataError: The cache cannot be written to.
    """
    if not str(weights).startswith(_SCHEME):
        return Path(weights)
    from srmodels.runs.registry import fetch

    return fetch(str(weights), root=repository())
