"""The generator as an MLflow model: a program any PyTorch runs, and beside it our own file.

The program is torch.export's pt2 for one picture of any size, (1, 3, H, W) float32 RGB in [0, 1] to
SR, not clamped: loading it needs none of our code and unpickles nothing. generator.safetensors lies
beside it for `srmodels upscale --weights models:/NAME@ALIAS`, which cuts large pictures into tiles.
"""

import copy
import hashlib
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from srmodels.engine.tracking.mlflow_tracker import Tracker
from srmodels.models._torch_export import dynamic_sizes, example_lr
from srmodels.runs.store import EXPERIMENT, WEIGHTS_TAG

__all__ = ["log_generator", "save_model"]

log = logging.getLogger(__name__)

_NAME = "generator"


def save_model(network: nn.Module, weights: Path, folder: Path) -> None:
    """Writes an MLflow model.

    Args:
        network: A generator with the attribute `multiple`, in eval mode.
        weights: Its safetensors file, which is laid beside it.
        folder: Where to; does not exist yet.
    """
    import mlflow.pytorch
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    picture = Schema([TensorSpec(np.dtype("float32"), (1, 3, -1, -1))])
    network = copy.deepcopy(network).cpu().to(memory_format=torch.contiguous_format)
    with dynamic_sizes():
        mlflow.pytorch.save_model(
            network,
            str(folder),
            signature=ModelSignature(inputs=picture, outputs=picture),
            input_example=example_lr(network).numpy(),
            serialization_format="pt2",
            pip_requirements=[f"torch=={torch.__version__.split('+')[0]}"],
            extra_files=[str(weights.resolve())],
        )


def _log(watcher: Tracker, network: nn.Module, weights: Path) -> None:
    from mlflow.entities import LoggedModelOutput

    client, run = watcher.client, watcher.run_id
    digest = hashlib.md5(weights.read_bytes(), usedforsecurity=False).hexdigest()
    client.set_tag(run, WEIGHTS_TAG, digest)
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    known = client.search_logged_models([experiment], f"source_run_id = '{run}'")
    if any(each.tags.get(WEIGHTS_TAG) == digest and each.status == "READY" for each in known):
        return
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / _NAME
        save_model(network, weights, folder)
        model = client.create_logged_model(
            experiment,
            name=_NAME,
            source_run_id=run,
            tags={**watcher.tags, WEIGHTS_TAG: digest},
        ).model_id
        client.log_model_artifacts(model, str(folder))
    client.finalize_logged_model(model, "READY")
    client.log_outputs(run, [LoggedModelOutput(model, step=0)])


def log_generator(watcher: Tracker, network: nn.Module, weights: Path) -> None:
    """Logs the generator as a model of the experiment's run, once.

    The run is also tagged with the MD5 of the weights, by which the experiment's dvc.lock names
    them: so a run leads to its experiment, and an experiment that DVC took from its cache to the
    run that made its weights.

    Args:
        watcher: A tracker that has sent what it had; where it could not, nothing is logged.
        network: The generator, in eval mode.
        weights: Its safetensors file.
    """
    again = "`dvc repro --single-item --force evaluate` tries again"
    if not watcher.run_id:
        log.warning("MLflow at %s: the generator is not logged; %s", watcher.uri, again)
        return
    try:
        _log(watcher, network, weights)
    except Exception as error:  # noqa: BLE001 - a tracker's trouble is not the evaluation's
        reason = str(error).splitlines()[0][:200] if str(error) else repr(error)
        log.warning(
            "MLflow at %s: the generator is not logged (%s); %s", watcher.uri, reason, again
        )
