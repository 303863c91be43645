"""Connects commands to MLflow and turns its errors into one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from srmodels.errors import TrainingError
from srmodels.runs.store import store_of

__all__ = ["connected", "is_missing", "reason_of"]


@contextmanager
def connected(root: Path) -> Iterator[Any]:
    """An MlflowClient of the repository's store, or of the server in MLFLOW_TRACKING_URI.

    Args:
        root: The repository.

    Raises:
        TrainingError: There is no store, or an MLflow call in the `with` block fails.
    """
    uri = store_of(root)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # a person waits
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except MlflowException as error:
        raise TrainingError(
            f"MLflow at {uri}: {reason_of(error)}. Check the server and MLFLOW_TRACKING_URI."
        ) from None


def reason_of(error: Exception) -> str:
    """The first line of an MLflow error."""
    return str(error).splitlines()[0][:200].rstrip(".") if str(error) else repr(error)


def is_missing(error: Exception) -> bool:
    """Whether MLflow answered that the name does not exist."""
    return getattr(error, "error_code", "") in {
        "RESOURCE_DOES_NOT_EXIST",
        "INVALID_PARAMETER_VALUE",
    }
