"""Logs the stages to the experiment's MLflow run."""

import subprocess
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from srmodels.distributed.launcher import launch
from srmodels.engine.tracking.mlflow_tracker import Tracker
from srmodels.engine.tracking.record import Logger, NullLogger
from srmodels.evaluation.table import read_metrics, sets_of
from srmodels.params import Params
from stages import dvc_root


def tracker(stage: str, params: Params) -> Tracker:
    """Opens the experiment's MLflow run for this stage."""
    git = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607 - whichever git the user has
        cwd=dvc_root(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Tracker(
        stage,
        root=dvc_root(),
        values=params.values,
        baseline=git.stdout.strip() or "no-commit",
        tags={"model": params.model, "preset": params.preset},
    )


def logger(stage: str, params: Params) -> AbstractContextManager[Logger]:
    """The tracker in rank 0; a logger that does nothing in the other ranks."""
    return nullcontext(NullLogger()) if launch().rank else tracker(stage, params)


def log_evaluation(tracker: Tracker, root: Path) -> None:
    """Logs scores, sample pictures, and the curves of stages that DVC took from its cache."""
    for name, stage in product(("", "_validation"), ("pretrain", "gan")):
        tracker.replay(root / "plots" / f"{stage}{name}.csv", stage)
    for name, models in sets_of(read_metrics(root / "metrics" / "evaluate.json")).items():
        for model, scores in models.items():
            prefix = f"{name}/{model.replace('+', '-')}"  # MLflow's names have no plus
            tracker.log(0, {f"{prefix}/{score}": value for score, value in scores.items()})
    for path in sorted((root / "samples").glob("*.png")):
        tracker.picture(path.stem, np.asarray(Image.open(path).convert("RGB")), 0)
    tracker.finish()
