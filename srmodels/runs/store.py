"""Where MLflow keeps runs and models, and the pages on which it shows them."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from srmodels.errors import TrainingError

__all__ = [
    "EXPERIMENT",
    "PORT",
    "SERVER",
    "WEIGHTS_TAG",
    "comparison_page",
    "run_page",
    "store_of",
    "tracking_uri",
]

EXPERIMENT = "srmodels"
SERVER = "MLFLOW_TRACKING_URI"
WEIGHTS_TAG = "dvc.generator_md5"  # of runs and models: the weights, as dvc.lock names them
PORT = 5000  # of `mlflow ui`


def tracking_uri(root: Path) -> str:
    """The server in MLFLOW_TRACKING_URI, or the repository's own store.

    Args:
        root: The repository, absolute.
    """
    return os.environ.get(SERVER) or f"sqlite:///{root}/mlflow.db"


def store_of(root: Path) -> str:
    """The same, for reading: MLflow would make an empty store where there is none.

    Raises:
        TrainingError: There is none.
    """
    if not os.environ.get(SERVER) and not (root / "mlflow.db").exists():
        raise TrainingError(f"{root / 'mlflow.db'}: no such file; the run of a recipe writes it")
    return tracking_uri(root.resolve())


def _front() -> str:
    """The beginning of every page's address: the server's, or that of a local `mlflow ui`."""
    server = os.environ.get(SERVER, "")
    return server.rstrip("/") if server.startswith("http") else f"http://127.0.0.1:{PORT}"


def run_page(experiment: str, run: str) -> str:
    """The address of a run's page, by the ids of MLflow's experiment and of the run."""
    return f"{_front()}/#/experiments/{experiment}/runs/{run}"


def comparison_page(experiment: str, runs: Sequence[str] = ()) -> str:
    """The address of the page that draws the curves of runs into each other.

    Args:
        experiment: MLflow's id of it.
        runs: Their ids; none for the newest ones.
    """
    only = ""
    if runs:
        listed = ", ".join(f"'{run}'" for run in runs)
        only = "&searchFilter=" + quote(f"attributes.run_id IN ({listed})")
    return (
        f"{_front()}/#/experiments/{experiment}/runs"
        f"?compareRunsMode=CHART&workflowType=machine_learning{only}"
    )
