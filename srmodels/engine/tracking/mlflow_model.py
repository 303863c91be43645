"""Logs the generator to MLflow as a model: a torch.export program and our safetensors file.

The program (pt2) takes a picture of any size, (1, 3, H, W) float32 RGB in [0, 1], and gives SR, not
clamped. Loading it needs none of our code. `srmodels upscale --weights models:/NAME@ALIAS` reads
generator.safetensors instead, to cut large pictures into tiles.
"""

import copy
import hashlib
import logging
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from srmodels.engine.tracking.mlflow_tracker import Tracker
from srmodels.models._dynamic_sizes import dynamic_sizes, example_lr, remove_paths
from srmodels.runs.connection import reason_of
from srmodels.runs.store import WEIGHTS_TAG

__all__ = ["log_generator", "save_model"]

log = logging.getLogger(__name__)

_NAME = "generator"


def save_model(network: nn.Module, weights: Path, folder: Path) -> None:
    """Saves a generator (in eval mode) and its safetensors file as an MLflow model."""
    import mlflow.pytorch
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    images = Schema([TensorSpec(np.dtype("float32"), (1, 3, -1, -1))])
    network = copy.deepcopy(network).cpu().to(memory_format=torch.contiguous_format)
    with dynamic_sizes():
        mlflow.pytorch.save_model(
            network,
            str(folder),
            signature=ModelSignature(inputs=images, outputs=images),
            input_example=example_lr(network).numpy(),
            serialization_format="pt2",
            pip_requirements=[f"torch=={torch.__version__.split('+')[0]}"],
            extra_files=[str(weights.resolve())],
        )
        path = folder / "data" / "model.pt2"
        program = torch.export.load(path)
    remove_paths(program)
    with warnings.catch_warnings(action="ignore"):
        torch.export.save(program, path)


def _log_generator(tracker: Tracker, network: nn.Module, weights: Path) -> None:
    from mlflow.entities import LoggedModelOutput

    client, run = tracker.client, tracker.run_id
    if not run:
        raise ConnectionError("no run was opened")
    digest = hashlib.md5(weights.read_bytes(), usedforsecurity=False).hexdigest()
    experiment = tracker.experiment
    models = client.search_logged_models([experiment], f"source_run_id = '{run}'")
    if any(model.tags.get(WEIGHTS_TAG) == digest and model.status == "READY" for model in models):
        client.set_tag(run, WEIGHTS_TAG, digest)
        return
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / _NAME
        save_model(network, weights, folder)
        tags = {**tracker.facts.tags, WEIGHTS_TAG: digest}
        model = client.create_logged_model(experiment, name=_NAME, source_run_id=run, tags=tags)
        client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run, [LoggedModelOutput(model.model_id, step=0)])
    client.set_tag(run, WEIGHTS_TAG, digest)  # last: what has the tag has the model


def log_generator(tracker: Tracker, network: nn.Module, weights: Path) -> None:
    """Logs the generator as a model of the tracker's run, once.

    Tags the run with the MD5 of the weights, which dvc.lock has, too. If the tracker (after its
    `with` block) has no run, logs a warning.
    """
    try:
        _log_generator(tracker, network, weights)
    except Exception as error:  # noqa: BLE001 - MLflow must not fail the evaluation
        log.warning(
            "MLflow at %s: the generator is not logged (%s). Run `dvc repro --single-item --force "
            "evaluate` to try again",
            tracker.uri,
            reason_of(error),
        )
