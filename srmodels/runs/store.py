"""Where MLflow stores runs and models, and the addresses of its pages."""

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
WEIGHTS_TAG = "dvc.generator_md5"  # of runs and models: the MD5 of the weights in dvc.lock
PORT = 5000  # of `mlflow ui`


def tracking_uri(root: Path) -> str:
    """The server in MLFLOW_TRACKING_URI, or the store of the repository `root` (absolute)."""
    return os.environ.get(SERVER) or f"sqlite:///{root}/mlflow.db"


def store_of(root: Path) -> str:
    """The tracking URI for reading; MLflow itself would create an empty store.

    Raises:
        TrainingError: There is no store.
    """
    if not os.environ.get(SERVER) and not (root / "mlflow.db").exists():
        raise TrainingError(f"{root / 'mlflow.db'}: no such file. Run a recipe with `dvc repro`.")
    return tracking_uri(root.resolve())


def _experiment_page(experiment: str) -> str:
    """The page on the server, or on a local `mlflow ui`."""
    server = os.environ.get(SERVER, "")
    front = server.rstrip("/") if server.startswith("http") else f"http://127.0.0.1:{PORT}"
    return f"{front}/#/experiments/{experiment}/runs"


def run_page(experiment: str, run: str) -> str:
    """The address of a run's page, from the MLflow ids of experiment and run."""
    return f"{_experiment_page(experiment)}/{run}"


def comparison_page(experiment: str, runs: Sequence[str] = ()) -> str:
    """The address of the page that draws the curves of runs in common charts.

    Args:
        experiment: The id of the MLflow experiment.
        runs: Ids of runs; none for the newest ones.
    """
    page = f"{_experiment_page(experiment)}?compareRunsMode=CHART&workflowType=machine_learning"
    if not runs:
        return page
    ids = ", ".join(f"'{run}'" for run in runs)
    return f"{page}&searchFilter=" + quote(f"attributes.run_id IN ({ids})")
