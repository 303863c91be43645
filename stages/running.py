"""What the two training stages share: where their state lies and who is told of their progress."""

import argparse
import dataclasses
import hashlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import nn

from srmodels import objectives
from srmodels.data.shards import Store
from srmodels.engine.checkpoint import Checkpoints
from srmodels.engine.facts import fingerprint_of
from srmodels.engine.record import Unheard, Watcher
from srmodels.engine.tracking import Tracker
from srmodels.launcher import launch
from srmodels.objectives.turn import Turn
from srmodels.params import Params
from srmodels.recipe import Objective
from stages.code import code_of

__all__ = ["checkpoints", "profiling", "repository", "tracker", "turns_by", "watcher"]


def profiling() -> bool:
    """Whether the stage was started with --profile: it then trains nothing and writes nothing."""
    parser = argparse.ArgumentParser(description="Runs the stage, as `dvc repro` does.")
    told = "print where a step's time goes, and do no more"
    parser.add_argument("--profile", action="store_true", help=told)
    return bool(parser.parse_args().profile)


def repository() -> Path:
    """The user's repository, also while DVC runs the stage in a temporary copy of it."""
    return Path(os.environ.get("DVC_ROOT", "."))


def checkpoints(
    stage: str, params: Params, settings: Mapping[str, object], inputs: Sequence[Path] = ()
) -> Checkpoints:
    """Where this very configuration keeps its resume state.

    Args:
        stage: "pretrain" or "gan".
        params: Names the recipe, and so the code.
        settings: Everything of params.yaml the stage uses, by key: dataclasses or plain values.
        inputs: Files of weights the stage starts from.
    """
    facts = {
        "settings": {
            key: dataclasses.asdict(each) if dataclasses.is_dataclass(each) else each  # type: ignore[arg-type]  # instances, not classes
            for key, each in settings.items()
        },
        "code": code_of(stage, params.recipe),
        "data": Store(Path("data/patches/train")).digest(),
        "weights": [hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs],
    }
    return Checkpoints(repository() / ".resume" / f"{stage}-{fingerprint_of(facts)}", facts)


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


def watcher(stage: str, params: Params) -> AbstractContextManager[Watcher]:
    """The tracker in the process that speaks; in the others of its training, nobody."""
    return nullcontext(Unheard()) if launch().rank else tracker(stage, params)


def turns_by(
    objective: Objective,
) -> Callable[[Mapping[str, nn.Module], torch.device], Sequence[Turn]]:
    """Makes the objective's turns from the networks as the engine wrapped them."""

    def turns_of(networks: Mapping[str, nn.Module], device: torch.device) -> Sequence[Turn]:
        return objectives.turns(objective.name, networks, objective.settings, device)

    return turns_of
