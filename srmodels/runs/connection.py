"""Connects commands to MLflow and turns its errors into one line."""

import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from srmodels.errors import TrainingError
from srmodels.runs.store import relocate, store_of, without_password

__all__ = ["connected", "is_missing", "prepare_mlflow", "reason_of"]

_LONGEST = 400  # characters of a reason; MLflow ends with the command that helps


def prepare_mlflow() -> None:
    """Sets what MLflow reads when it is imported, and ignores warnings about its own code.

    With -W error they would be errors.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # a person, or a thread, waits
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # not that there is no GPU
    warnings.filterwarnings("ignore", module="(mlflow|sqlalchemy|alembic|pydantic|google|requests)")


@contextmanager
def connected(root: Path) -> Iterator[Any]:
    """An MlflowClient of the repository's store, or of the server in MLFLOW_TRACKING_URI.

    Args:
        root: The repository.

    Raises:
        TrainingError: There is no store, or an MLflow call in the `with` block fails.
    """
    uri = store_of(root)
    shown = without_password(uri)
    prepare_mlflow()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        relocate(root)
        yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except ModuleNotFoundError as error:  # a database's driver
        raise TrainingError(
            f"MLflow at {shown}: its database needs a driver (got no {error.name}). Install it "
            "with pip, or change MLFLOW_TRACKING_URI."
        ) from None
    # a database that is damaged or another program's, an address that is none
    except (MlflowException, SQLAlchemyError, sqlite3.Error, ValueError) as error:
        raise TrainingError(
            f"MLflow at {shown}: {reason_of(error)}. Check this store and MLFLOW_TRACKING_URI."
        ) from None


def reason_of(error: Exception) -> str:
    """An error of MLflow in one line, without SQLAlchemy's statement."""
    text = str(error).partition("\n[SQL:")[0]
    return " ".join(text.split())[:_LONGEST].rstrip(".") or repr(error)


def is_missing(error: Exception) -> bool:
    """Whether MLflow answered that the name does not exist."""
    return getattr(error, "error_code", "") in {
        "RESOURCE_DOES_NOT_EXIST",
        "INVALID_PARAMETER_VALUE",
    }
