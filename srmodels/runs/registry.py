"""Generators under a name and an alias, such as models:/srgan@champion, and their weights."""

import hashlib
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from srmodels.data.datasets.cache import cache_folder, cache_lock
from srmodels.errors import ConfigError, WeightsError
from srmodels.runs.connection import connected, is_missing, reason_of
from srmodels.runs.experiments import Run
from srmodels.runs.store import WEIGHTS_TAG

__all__ = ["fetch", "register"]

_URI = re.compile(r"models:/(?P<name>[^/@]+)(@(?P<alias>[^/@]+)|/(?P<version>\d+|latest))")
_FILE = "extra_files/generator.safetensors"  # where engine.model_log's models have it
_DIGEST = re.compile("[0-9a-f]{32}")


def _asked(client: Any, uri: str) -> Any:  # noqa: ANN401 - MLflow is not typed for mypy here
    """The model version that a URI means."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise WeightsError(
            f"{uri}: names no registered model; models:/NAME@ALIAS, models:/NAME/VERSION and "
            "models:/NAME/latest are right"
        )
    name, alias, version = match["name"], match["alias"], match["version"]
    if alias:
        return client.get_model_version_by_alias(name, alias)
    if version == "latest":
        found = client.search_model_versions(f"name = '{name}'")
        version = str(max((int(each.version) for each in found), default=0))
    return client.get_model_version(name, version)


def _version(client: Any, uri: str) -> Any:  # noqa: ANN401
    from mlflow.exceptions import MlflowException

    try:
        return _asked(client, uri)
    except MlflowException as error:
        if not is_missing(error):
            raise
        reason = reason_of(error)
    known = [
        f"models:/{model.name}@{alias}"
        for model in client.search_registered_models()
        for alias in sorted(model.aliases)
    ]
    hint = f"there is {', '.join(known)}" if known else "`srmodels register` gives one a name"
    raise WeightsError(f"{uri}: is not in MLflow's registry ({reason}); {hint}")


def _logged(client: Any, version: Any) -> Any:  # noqa: ANN401
    """The model that a run logged and that a version is of; None where there is no such model."""
    if not version.run_id:
        return None
    experiment = client.get_run(version.run_id).info.experiment_id
    models = client.search_logged_models([experiment], f"source_run_id = '{version.run_id}'")
    places = ((each, (each.artifact_location, f"models:/{each.model_id}")) for each in models)
    return next((each for each, place in places if version.source in place), None)


def _download(client: Any, model: Any, digest: str, path: Path) -> None:  # noqa: ANN401
    """Puts a logged model's weights at `path`, whole or not at all."""
    from mlflow.artifacts import download_artifacts

    with TemporaryDirectory(dir=path.parent) as folder:
        found = Path(
            download_artifacts(
                artifact_uri=f"{model.artifact_location}/{_FILE}",
                dst_path=folder,
                tracking_uri=client.tracking_uri,
            )
        )
        content = hashlib.md5(found.read_bytes(), usedforsecurity=False).hexdigest()
        if content != digest:
            raise WeightsError(
                f"{model.artifact_location}: its weights are not those that were logged (found MD5 "
                f"{content}; {digest} is right); log and register the generator again"
            )
        found.replace(path)


def fetch(uri: str, *, root: Path) -> Path:
    """Fetches a registered generator's weights into the cache, unless they are there already.

    Args:
        uri: models:/NAME@ALIAS, models:/NAME/VERSION or models:/NAME/latest.
        root: The repository whose store is asked where MLFLOW_TRACKING_URI names no server.

    Returns:
        A safetensors file of ours, which others read as well.

    Raises:
        WeightsError: There is no such model, this project did not log it, or it is damaged.
        TrainingError: There is no store, or the server cannot be reached.
        DataError: The cache cannot be written to.
    """
    with connected(root) as client:
        model = _logged(client, _version(client, uri))
        digest = model.tags.get(WEIGHTS_TAG, "") if model else ""
        if not _DIGEST.fullmatch(digest):
            raise WeightsError(
                f"{uri}: was not logged by this project's pipeline, so it holds no weights of "
                "ours; a model that `srmodels register` named does"
            )
        path = cache_folder(root.resolve()) / "models" / f"{digest}.safetensors"
        with cache_lock(path):
            if not path.exists():
                _download(client, model, digest, path)
    return path


def register(run: Run, name: str, *, alias: str | None, root: Path) -> str:
    """Gives the generator of a run a name in MLflow's registry: its next version.

    Args:
        run: A run of the pipeline.
        name: The registered model; made where there is none of this name.
        alias: What else the version is called; taken from the version that had it.
        root: As for `fetch`.

    Returns:
        A URI that `fetch` takes.

    Raises:
        ConfigError: The run holds no generator, or MLflow takes no such name.
        TrainingError: There is no store, or the server cannot be reached.
    """
    from mlflow.exceptions import MlflowException

    with connected(root) as client:
        outputs = client.get_run(run.id).outputs
        models = [each.model_id for each in outputs.model_outputs] if outputs else []
        if not models:
            raise ConfigError(
                f"{run.name}: its run holds no generator (found run {run.id}); "
                "`dvc repro --single-item --force evaluate` logs one"
            )
        source = client.get_logged_model(models[-1])
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise ConfigError(f"NAME: {reason_of(error)} (found {name!r})") from None
        made = client.create_model_version(
            name, source.artifact_location, run_id=run.id, model_id=source.model_id
        )
        if alias:
            client.set_registered_model_alias(name, alias, made.version)
    return f"models:/{name}@{alias}" if alias else f"models:/{name}/{made.version}"
