"""Generators in MLflow's model registry, such as models:/srgan@champion, and their weights."""

import hashlib
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from srmodels.cache import cache_folder, cache_lock
from srmodels.errors import ConfigError, WeightsError
from srmodels.runs.connection import connected, is_missing, reason_of
from srmodels.runs.experiments import Run
from srmodels.runs.store import WEIGHTS_TAG

__all__ = ["fetch", "register"]

_URI = re.compile(r"models:/(?P<name>[^/@]+)(@(?P<alias>[^/@]+)|/(?P<version>\d+|latest))")
_FILE = "extra_files/generator.safetensors"  # engine.tracking.mlflow_model puts it there
_DIGEST = re.compile("[0-9a-f]{32}")


def _find_version(client: Any, uri: str) -> Any:  # noqa: ANN401 - MLflow is not typed for mypy here
    """The model version that a URI names."""
    from mlflow.exceptions import MlflowException

    match = _URI.fullmatch(uri)
    if match is None:
        raise WeightsError(
            f"{uri}: names no registered model. Use models:/NAME@ALIAS, models:/NAME/VERSION or "
            "models:/NAME/latest."
        )
    name, alias, version = match["name"], match["alias"], match["version"]
    try:
        if alias:
            return client.get_model_version_by_alias(name, alias)
        if version == "latest":
            versions = client.search_model_versions(f"name = '{name}'")
            version = str(max((int(model.version) for model in versions), default=0))
        return client.get_model_version(name, version)
    except MlflowException as error:
        if not is_missing(error):
            raise
        reason = reason_of(error)
    known = [
        f"models:/{model.name}@{alias}"
        for model in client.search_registered_models()
        for alias in sorted(model.aliases)
    ]
    hint = f"Use {', '.join(known)}." if known else "Register one with `srmodels register`."
    raise WeightsError(f"{uri}: not in MLflow's registry (got {reason}). {hint}")


def _logged_model(client: Any, version: Any) -> Any:  # noqa: ANN401
    """The model that a run logged and that became this version; None if there is none."""
    if not version.run_id:
        return None
    experiment = client.get_run(version.run_id).info.experiment_id
    models = client.search_logged_models([experiment], f"source_run_id = '{version.run_id}'")
    for model in models:
        if version.source in {model.artifact_location, f"models:/{model.model_id}"}:
            return model
    return None


def _download(client: Any, model: Any, digest: str, path: Path) -> None:  # noqa: ANN401
    """Downloads a logged model's weights and moves the checked file to `path`."""
    from mlflow.artifacts import download_artifacts

    with TemporaryDirectory(dir=path.parent) as folder:
        file = Path(
            download_artifacts(
                artifact_uri=f"{model.artifact_location}/{_FILE}",
                dst_path=folder,
                tracking_uri=client.tracking_uri,
            )
        )
        actual = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
        if actual != digest:
            raise WeightsError(
                f"{model.artifact_location}: the weights are not those that were logged (got MD5 "
                f"{actual} instead of {digest}). Log and register the generator again."
            )
        file.replace(path)


def fetch(uri: str, *, root: Path) -> Path:
    """Downloads a registered generator's weights into the cache, unless they are there.

    Args:
        uri: models:/NAME@ALIAS, models:/NAME/VERSION or models:/NAME/latest.
        root: The repository whose store is used without MLFLOW_TRACKING_URI.

    Returns:
        A safetensors file.

    Raises:
        WeightsError: There is no such model, another project logged it, or it is damaged.
        TrainingError: There is no store, or the server cannot be reached.
        DataError: The cache cannot be written to.
    """
    with connected(root) as client:
        model = _logged_model(client, _find_version(client, uri))
        digest = model.tags.get(WEIGHTS_TAG, "") if model else ""
        if not _DIGEST.fullmatch(digest):
            raise WeightsError(
                f"{uri}: was not logged by this project's pipeline. Use a model that `srmodels "
                "register` has registered."
            )
        path = cache_folder(root.resolve()) / "models" / f"{digest}.safetensors"
        with cache_lock(path):
            if not path.exists():
                _download(client, model, digest, path)
    return path


def register(run: Run, name: str, *, alias: str | None, root: Path) -> str:
    """Registers the generator of a run as the next version of a model.

    Args:
        run: A run of the pipeline.
        name: The registered model; created if missing.
        alias: For this version; moved from the version that had it.
        root: As for `fetch`.

    Returns:
        A URI for `fetch`.

    Raises:
        ConfigError: The run has no generator, or MLflow does not accept the name.
        TrainingError: There is no store, or the server cannot be reached.
    """
    from mlflow.exceptions import MlflowException

    with connected(root) as client:
        outputs = client.get_run(run.id).outputs
        if not outputs or not outputs.model_outputs:
            raise ConfigError(
                f"{run.name}: its run holds no generator (got run {run.id}). Run `dvc repro "
                "--single-item --force evaluate`."
            )
        model = client.get_logged_model(outputs.model_outputs[-1].model_id)
        if model.tags.get(WEIGHTS_TAG) != run.weights:
            raise ConfigError(
                f"{run.name}: its run holds another generator (got MD5 "
                f"{model.tags.get(WEIGHTS_TAG)} instead of {run.weights}). Run `dvc repro "
                "--single-item --force evaluate`."
            )
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise ConfigError(f"NAME: {reason_of(error)} (got {name!r})") from None
        tags = {"model": run.model, "dvc.experiment": run.name, WEIGHTS_TAG: run.weights}
        version = client.create_model_version(
            name,
            model.artifact_location,
            run_id=run.id,
            model_id=model.model_id,
            tags={key: text for key, text in tags.items() if text},
            description=f"{run.model}, trained by the experiment {run.name}, run {run.id}",
        ).version
        if alias:
            client.set_registered_model_alias(name, alias, version)
    return f"models:/{name}@{alias}" if alias else f"models:/{name}/{version}"
