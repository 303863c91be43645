"""Logs the stages to the MLflow run of their training."""

from contextlib import AbstractContextManager, nullcontext
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from srmodels.cli.machine import describe, facts
from srmodels.data.degradation.pictures import DEGRADED
from srmodels.distributed.launcher import launch
from srmodels.engine.tracking.mlflow_tracker import Tracker
from srmodels.engine.tracking.record import Logger, NullLogger
from srmodels.evaluation.report import BUNDLED
from srmodels.evaluation.table import read_metrics, sets_of
from srmodels.machine import resolve_device
from srmodels.params import Params
from stages import dvc_root
from stages.run_facts import run_facts

_TEST = "test"  # prefix of the scores; behind the curves in MLflow's alphabetical order


def machine_of(params: Params) -> str:
    """This machine and its processes, as a training with these settings uses them."""
    found = facts()
    if resolve_device(params.run.device).type != "cuda":
        found.pop("gpu", None)
    found["threads"] = params.run.threads or found["threads"]
    processes = launch().world_size
    return describe(found) + (f", processes: {processes}" if processes > 1 else "")


def tracker(stage: str, params: Params) -> Tracker:
    """Opens the training's MLflow run for this stage."""
    return Tracker(
        stage, root=dvc_root(), facts=run_facts(params), machine=lambda: machine_of(params)
    )


def logger(stage: str, params: Params) -> AbstractContextManager[Logger]:
    """The tracker in rank 0; a logger that does nothing in the other ranks."""
    return nullcontext(NullLogger()) if launch().rank else tracker(stage, params)


def evaluation_tracker(params: Params) -> Tracker:
    """A tracker that first sends the curves of stages which DVC took from its cache."""
    opened = tracker(_TEST, params)
    for name, stage in product(("", "_validation"), ("pretrain", "gan")):
        opened.replay(Path("plots") / f"{stage}{name}.csv", stage)
    return opened


def log_evaluation(tracker: Tracker, root: Path, *, test_set: str) -> None:
    """Logs scores, the table per picture and the samples; `test_set` names the set `test`."""
    for name, models in sets_of(read_metrics(root / "metrics" / "evaluate.json")).items():
        bundled = name in (BUNDLED, BUNDLED + DEGRADED)
        place = test_set + name.removeprefix(BUNDLED) if bundled else name
        for model, scores in models.items():
            prefix = f"{place}/{model.replace('+', '-')}"  # MLflow's names have no plus
            tracker.log(0, {f"{prefix}/{score}": value for score, value in scores.items()})
    tracker.table(root / "plots" / "per_image.csv")
    for path in sorted((root / "samples").glob("*.png")):
        tracker.picture(path.stem, np.asarray(Image.open(path).convert("RGB")), 0)
    tracker.open_fitting()
