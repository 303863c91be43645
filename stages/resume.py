"""The resume state of a training."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

from srmodels.data.store.reader import PatchStore
from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.checkpoint.fingerprint import fingerprint_of
from srmodels.params import Params
from srmodels.recipe import Adversarial, Pretrain
from stages import PATCHES, dvc_root
from stages.dependencies import code_digests

__all__ = ["checkpoints"]


def checkpoints(
    stage: str, params: Params, section: Pretrain | Adversarial, inputs: Sequence[Path]
) -> Checkpoints:
    """The resume state of exactly these settings, code, patches and initial weights."""
    facts: dict[str, object] = {
        "settings": {
            "seed": params.seed,
            "scale": params.scale,
            "generator": dataclasses.asdict(params.recipe.generator),
            "pretrain" if stage == "pretrain" else "adversarial": dataclasses.asdict(section),
        },
        "code": code_digests(stage, params.recipe),
        "data": PatchStore(PATCHES / "train").digest(),
        "weights": [hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs],
    }
    if params.data.own_lr:
        facts["lr_share"] = params.data.lr_share
    if stage == "gan":
        facts["lpips"] = bool(params.evaluate.perceptual)  # whether validations have LPIPS
    return Checkpoints(dvc_root() / ".resume" / f"{stage}-{fingerprint_of(facts)}", facts)
