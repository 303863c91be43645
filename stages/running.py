"""How the two training stages were started, and where their state lies."""

import argparse
import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from srmodels.data.store.reader import PatchStore
from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.checkpoint.fingerprint import fingerprint_of
from srmodels.params import Params
from stages.dependencies import code_digests

__all__ = ["checkpoints", "profiling", "repository"]


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
        "code": code_digests(stage, params.recipe),
        "data": PatchStore(Path("data/patches/train")).digest(),
        "weights": [hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs],
    }
    return Checkpoints(repository() / ".resume" / f"{stage}-{fingerprint_of(facts)}", facts)
