"""What the two training stages share: where their state lies and who is told of their progress."""

import dataclasses
import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from srmodels.data.shards import Store
from srmodels.engine.checkpoint import fingerprint_of
from srmodels.engine.tracking import Tracker
from srmodels.params import Params
from stages.code import code_of

__all__ = ["repository", "resume_folder", "tracker"]


def repository() -> Path:
    """The user's repository, also while DVC runs the stage in a temporary copy of it."""
    return Path(os.environ.get("DVC_ROOT", "."))


def resume_folder(
    stage: str, params: Params, settings: Sequence[object], inputs: Sequence[Path] = ()
) -> Path:
    """Where this very configuration keeps its resume state.

    Args:
        stage: "pretrain" or "gan".
        params: Names the recipe, and so the code.
        settings: Everything of params.yaml the stage uses, dataclasses or plain values.
        inputs: Files of weights the stage starts from.
    """
    facts = {
        "settings": [dataclasses.asdict(s) if dataclasses.is_dataclass(s) else s for s in settings],  # type: ignore[arg-type]  # instances, not classes
        "code": code_of(stage, params.recipe),
        "data": Store(Path("data/patches/train")).digest(),
        "weights": [hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs],
    }
    return repository() / ".resume" / f"{stage}-{fingerprint_of(facts)}"


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
