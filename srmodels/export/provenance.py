"""Where a file of weights comes from, as far as dvc.lock vouches for it.

params.yaml and metrics/ say what the newest pipeline is, not what made a certain file. dvc.lock
holds the digests of what every stage read and wrote, beside the settings it ran with: only what is
tied to the very bytes of the weights through it is told.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from srmodels.evaluation.table import sets_of

__all__ = ["Provenance", "provenance_of"]

_STAGES = {"gan": "generator", "pretrain": "pretrained"}  # what trains: its row in the metrics
_LOCK = "dvc.lock"
_BUNDLED = "photographs that come inside scikit-image and scikit-learn"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How weights were made.

    Attributes:
        recipe: Its name, such as "srgan".
        preset: Such as "quickstart".
        seed: Of all that was drawn.
        phases: Settings of each phase of the training by its name, in their order.
        photos: The set or folder that was trained on, as params.yaml names it.
        about: What the set's definition says of it; None where there is none.
        counts: metrics/patches.json; empty where it is of another run.
        model: The weights' row in the metrics.
        metrics: metrics/evaluate.json; empty where it is of other weights.
    """

    recipe: str
    preset: str
    seed: int | None
    phases: Mapping[str, Mapping[str, Any]]
    photos: str
    about: str | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)
    model: str = "generator"
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scores(self) -> dict[str, dict[str, dict[str, float]]]:
        """Scores by test set and row, of the sets where the weights have a row."""
        return {name: rows for name, rows in sets_of(self.metrics).items() if self.model in rows}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


class _Lock:
    """A repository's dvc.lock, which may lack anything."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            read = YAML(typ="safe", pure=True).load(root / _LOCK)
            self.stages: dict[str, Any] = dict(read["stages"])
        except (OSError, YAMLError, TypeError, KeyError, ValueError):
            self.stages = {}

    def digests(self, stage: str, kind: str) -> dict[str, str]:
        """The digests of what a stage read ("deps") or wrote ("outs"), by path."""
        files = self.stages.get(stage, {}).get(kind, [])
        return {each["path"]: each.get("md5", "") for each in files}

    def params(self, stage: str) -> dict[str, Any]:
        """The settings a stage ran with, by key."""
        files: dict[str, dict[str, Any]] = self.stages.get(stage, {}).get("params", {})
        return {key: value for each in files.values() for key, value in each.items()}

    def same(self, path: str, *, read_by: str, written_by: str) -> bool:
        """Whether one stage read what the lock says another wrote; not so in mid-pipeline."""
        written = self.digests(written_by, "outs")
        # a stage in data/ names its results as seen from there
        found = written.get(path) or written.get(path.removeprefix("data/"))
        return found is not None and self.digests(read_by, "deps").get(path) == found

    def trainer_of(self, digest: str) -> str | None:
        """The stage that wrote a file of weights."""
        return next((s for s in _STAGES if digest in self.digests(s, "outs").values()), None)

    def read(self, stage: str, name: str) -> Mapping[str, Any]:
        """A JSON file that a stage wrote; empty if it is not that any more."""
        path = self.root / name
        if not path.is_file() or _md5(path) != self.digests(stage, "outs").get(name):
            return {}
        found: Mapping[str, Any] = json.loads(path.read_bytes())
        return found


def _phases(lock: _Lock, trainer: str) -> dict[str, Mapping[str, Any]]:
    """Settings by phase: models.RECIPE.PRESET.PHASE of the stages up to the trainer."""
    phases: dict[str, Mapping[str, Any]] = {}
    for stage in ("pretrain", "gan")[: 2 if trainer == "gan" else 1]:
        for key, value in lock.params(stage).items():
            phase = key.rpartition(".")[2]
            if phase in ("pretrain", "adversarial") and value:
                phases[phase] = value
    return phases


def _about(root: Path, photos: str) -> str | None:
    """What the definition of a data set says of it."""
    if photos == "auto":
        return _BUNDLED
    if "/" in photos or "\\" in photos:
        return None
    try:
        read = YAML(typ="safe", pure=True).load(root / "data" / photos / f"{photos}.yaml")
        return str(read["about"])
    except (OSError, YAMLError, TypeError, KeyError):
        return None


def provenance_of(weights: Path) -> Provenance | None:
    """What is known of a file of weights.

    Args:
        weights: A file, inside a repository or not.

    Returns:
        None where no dvc.lock above the file names these very bytes.
    """
    root = next((each for each in weights.resolve().parents if (each / _LOCK).is_file()), None)
    if root is None:
        return None
    lock, digest = _Lock(root), _md5(weights)
    trainer = lock.trainer_of(digest)
    keys = [key.split(".") for key in lock.params(trainer or "") if key.startswith("models.")]
    if trainer is None or not keys:
        return None
    scored = digest in lock.digests("evaluate", "deps").values()
    patches = lock.same("data/patches", read_by=trainer, written_by="patches")
    photos = ""
    if patches and lock.same("data/photos", read_by="patches", written_by="photos"):
        photos = str(lock.params("photos").get("data", {}).get("photos", ""))
    return Provenance(
        recipe=keys[0][1],
        preset=keys[0][2],
        seed=lock.params(trainer).get("seed"),
        phases=_phases(lock, trainer),
        photos=photos,
        about=_about(root, photos) if photos else None,
        counts=lock.read("patches", "metrics/patches.json") if patches else {},
        model=_STAGES[trainer],
        metrics=lock.read("evaluate", "metrics/evaluate.json") if scored else {},
    )
