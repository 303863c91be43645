"""What MLflow is told by the stages: the experiment's run, and an evaluation's results."""

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
from stages.running import repository

__all__ = ["track", "tracker", "watcher"]


def tracker(stage: str, params: Params) -> Tracker:
    """This stage's view of the experiment's MLflow run."""
    git = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607 - whichever git the user has
        cwd=repository(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Tracker(
        stage,
        root=repository(),
        values=params.values,
        baseline=git.stdout.strip() or "no-commit",
        tags={"model": params.model, "preset": params.preset},
    )


def watcher(stage: str, params: Params) -> AbstractContextManager[Logger]:
    """The tracker in the process that speaks; in the others of its training, nobody."""
    return nullcontext(NullLogger()) if launch().rank else tracker(stage, params)


def track(watcher: Tracker, root: Path) -> None:
    """Sends scores, samples, and the curves of stages that DVC took from its cache."""
    for name, stage in product(("", "_validation"), ("pretrain", "gan")):
        watcher.replay(root / "plots" / f"{stage}{name}.csv", stage)
    for name, models in sets_of(read_metrics(root / "metrics" / "evaluate.json")).items():
        for model, scores in models.items():
            row = f"{name}/{model.replace('+', '-')}"  # MLflow's names have no plus
            watcher.log(0, {f"{row}/{each}": value for each, value in scores.items()})
    for path in sorted((root / "samples").glob("*.png")):
        watcher.picture(path.stem, np.asarray(Image.open(path).convert("RGB")), 0)
    watcher.finish()
