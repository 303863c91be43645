"""Where MLflow stores runs and models, and the addresses of its pages."""

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from srmodels.errors import TrainingError

__all__ = [
    "EXPERIMENT",
    "PORT",
    "SERVER",
    "WEIGHTS_TAG",
    "artifact_location",
    "comparison_page",
    "machine_tag",
    "relocate",
    "run_page",
    "store_of",
    "tracking_uri",
    "without_password",
]

EXPERIMENT = "srmodels"
SERVER = "MLFLOW_TRACKING_URI"
WEIGHTS_TAG = "dvc.generator_md5"  # of runs and models: the MD5 of the weights in dvc.lock
PORT = 5000  # of `mlflow ui`

_ARTIFACTS = "mlartifacts"
_WORKFLOW = "workflowType=machine_learning"  # MLflow's pages of trainings, not of GenAI
_STORED_LOCATIONS = (  # tables and columns of MLflow's database that hold absolute addresses
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def machine_tag(stage: str) -> str:
    """The tag of a run that names the machine on which the stage trained."""
    return f"srmodels.machine.{stage}"


def _database(root: Path) -> URL | None:
    """The SQL database that holds the runs; None for a server or a folder."""
    given = os.environ.get(SERVER, "")
    if not given:
        return URL.create("sqlite", database=str(root.resolve() / "mlflow.db"))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):  # a folder, or no URL: MLflow says which
        return None
    if url.get_backend_name() not in ("sqlite", "postgresql", "mysql", "mssql"):
        return None
    if url.get_backend_name() == "sqlite" and url.database:
        return url.set(database=str(root.resolve() / url.database))
    return url


def without_password(uri: str) -> str:
    """An address for messages and logs."""
    return re.sub(r"(://[^:/@]*):[^/]*@", r"\1:***@", uri)


def tracking_uri(root: Path) -> str:
    """MLFLOW_TRACKING_URI, or the database `mlflow.db` of the repository `root`.

    The relative path of an SQLite file begins at `root`, also in DVC's temporary copies.
    """
    database = _database(root)
    if database is None:
        return os.environ[SERVER]
    return database.render_as_string(hide_password=False)


def artifact_location(root: Path) -> str | None:
    """The URL of the folder of artifacts, beside an SQLite file; None if a server decides."""
    database = _database(root)
    if database is None:
        return None
    beside = database.get_backend_name() == "sqlite" and database.database
    folder = Path(database.database or "").parent if beside else root.resolve()
    return (folder / _ARTIFACTS).as_uri()


def store_of(root: Path) -> str:
    """The tracking URI for reading; MLflow itself would create an empty store.

    Raises:
        TrainingError: There is no store.
    """
    database = _database(root)
    if database is not None and database.get_backend_name() == "sqlite":
        path = Path(database.database or "")
        if not path.is_file():
            raise TrainingError(f"{path}: no such file. Run a recipe with `dvc repro`.")
    return tracking_uri(root)


def relocate(root: Path) -> str | None:
    """Corrects the addresses of artifacts in an SQLite store that was moved or copied.

    Returns:
        The former address, if it differed.
    """
    database, new = _database(root), artifact_location(root)
    if new is None or database is None or database.get_backend_name() != "sqlite":
        return None
    if not Path(database.database or "").is_file():
        return None
    with closing(sqlite3.connect(str(database.database))) as connection, connection:
        query = "SELECT artifact_location FROM experiments WHERE name = ?"
        row = connection.execute(query, (EXPERIMENT,)).fetchone()
        old = str(row[0]) if row else new
        if old == new or not old.startswith("file:") or not old.endswith(f"/{_ARTIFACTS}"):
            return None
        for table, column in _STORED_LOCATIONS:
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608 - our names
                f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
            )
    return old


def _experiment_page(experiment: str) -> str:
    """The page on the server, or on a local `mlflow ui`."""
    server = os.environ.get(SERVER, "")
    front = server.rstrip("/") if server.startswith("http") else f"http://127.0.0.1:{PORT}"
    return f"{front}/#/experiments/{experiment}/runs"


def run_page(experiment: str, run: str) -> str:
    """The address of a run's page, from the MLflow ids of experiment and run."""
    return f"{_experiment_page(experiment)}/{run}?{_WORKFLOW}"


def comparison_page(experiment: str, runs: Sequence[str] = ()) -> str:
    """The address of the page that draws the curves of runs in common charts.

    Args:
        experiment: The id of the MLflow experiment.
        runs: Ids of runs; none for the newest ones.
    """
    page = f"{_experiment_page(experiment)}?compareRunsMode=CHART&{_WORKFLOW}"
    if not runs:
        return page
    ids = ", ".join(f"'{run}'" for run in runs)
    return f"{page}&searchFilter=" + quote(f"attributes.run_id IN ({ids})")
