"""How a weights file was trained, as far as dvc.lock proves it.

params.yaml and metrics/ describe the latest run, not a given file. dvc.lock records each stage's
settings and the digests of its inputs and outputs, which lead from the weights to the rest.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from srmodels.evaluation.table import sets_of

__all__ = ["Provenance", "provenance_of"]

_ROWS = {"gan": "generator", "pretrain": "pretrained"}  # training stage: row in the metrics
_LOCK = "dvc.lock"
_INPUTS = {"data/patches", "data/code/pretrain.json", "data/random"}  # `random`: no weights
_BUNDLED = "photographs that come inside scikit-image and scikit-learn"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How weights were trained; unknown facts are None or empty."""

    recipe: str  # such as "srgan"
    preset: str  # such as "quickstart"
    seed: int | None
    phases: Mapping[str, Mapping[str, Any]]  # settings of the training phases, in order
    photos: str  # dataset or folder, as params.yaml names it
    about: str | None = None  # description of the dataset
    start: str | None = None  # name and MD5 of the file of weights that pretraining started from
    counts: Mapping[str, Any] = field(default_factory=dict)  # content of metrics/patches.json
    model: str = "generator"  # the weights' row in the metrics
    metrics: Mapping[str, Any] = field(default_factory=dict)  # content of metrics/evaluate.json

    @property
    def has_degradation(self) -> bool:
        """Whether LR was blurred, noisy and compressed, and not the protocol's."""
        return any("degradation" in phase.get("training", {}) for phase in self.phases.values())

    @property
    def scores(self) -> dict[str, dict[str, dict[str, float]]]:
        """Scores by test set and row, of the sets that have a row of the weights."""
        return {name: rows for name, rows in sets_of(self.metrics).items() if self.model in rows}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _read_yaml(path: Path) -> Mapping[str, Any]:
    """A YAML mapping; empty if the file is missing or holds none."""
    try:
        content = YAML(typ="safe", pure=True).load(path)
    except (OSError, YAMLError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


class _Lock:
    """A repository's dvc.lock, any part of which may be missing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        stages = _read_yaml(root / _LOCK).get("stages")
        self.stages: dict[str, Any] = stages if isinstance(stages, dict) else {}

    def digests(self, stage: str, kind: str) -> dict[str, str]:
        """MD5 by path of a stage's inputs ("deps") or outputs ("outs")."""
        entries = self.stages.get(stage, {}).get(kind, [])
        return {entry["path"]: entry.get("md5", "") for entry in entries}

    def params(self, stage: str) -> dict[str, Any]:
        """The stage's settings by key, of all params files."""
        files: dict[str, dict[str, Any]] = self.stages.get(stage, {}).get("params", {})
        return {key: value for params in files.values() for key, value in params.items()}

    def passed(self, path: str, *, writer: str, reader: str) -> bool:
        """Whether the stage `reader` read what `writer` wrote last."""
        outs = self.digests(writer, "outs")
        # a stage in data/ names its outputs relative to data/
        digest = outs.get(path) or outs.get(path.removeprefix("data/"))
        return digest is not None and self.digests(reader, "deps").get(path) == digest

    def read_output(self, stage: str, name: str) -> Mapping[str, Any]:
        """A JSON file that the stage wrote; empty if the file has changed since."""
        path = self.root / name
        if not path.is_file() or _md5(path) != self.digests(stage, "outs").get(name):
            return {}
        content: Mapping[str, Any] = json.loads(path.read_bytes())
        return content


def _phases(lock: _Lock, trainer: str) -> dict[str, Mapping[str, Any]]:
    """Settings by phase: models.RECIPE.PRESET.PHASE, its training over training.PRESET.PHASE."""
    phases: dict[str, Mapping[str, Any]] = {}
    for stage in ("pretrain", "gan")[: 2 if trainer == "gan" else 1]:
        params = lock.params(stage)
        for key, values in params.items():
            group, *path = key.split(".")
            if group == "models" and path[-1] in ("pretrain", "adversarial") and values:
                training = params.get(".".join(["training", *path[1:]])) or {}
                phases[path[-1]] = {**values, "training": training | values.get("training", {})}
    return phases


def _start(lock: _Lock) -> str | None:
    """The file of weights among the inputs of the stage `pretrain`."""
    for path, digest in lock.digests("pretrain", "deps").items():
        if path not in _INPUTS:
            return f"{_name_of(path)}, MD5 {digest}"
    return None


def _name_of(path: str) -> str:
    """The last part of a path: no folder of this machine leaves it."""
    return PurePosixPath(path.replace("\\", "/")).name


def _about(root: Path, photos: str) -> str | None:
    """The description in a dataset's definition."""
    if photos == "auto":
        return _BUNDLED
    if not photos or "/" in photos or "\\" in photos:
        return None
    about = _read_yaml(root / "data" / photos / f"{photos}.yaml").get("about")
    return None if about is None else str(about)


def provenance_of(weights: Path) -> Provenance | None:
    """How weights were trained; None if no dvc.lock in a parent folder lists their digest."""
    root = next((path for path in weights.resolve().parents if (path / _LOCK).is_file()), None)
    if root is None:
        return None
    lock, digest = _Lock(root), _md5(weights)
    trainer = next((s for s in _ROWS if digest in lock.digests(s, "outs").values()), None)
    keys = [key.split(".") for key in lock.params(trainer or "") if key.startswith("models.")]
    if trainer is None or not keys:
        return None
    scored = digest in lock.digests("evaluate", "deps").values()
    patches = lock.passed("data/patches", writer="patches", reader=trainer)
    photos = ""
    if patches and lock.passed("data/photos", writer="photos", reader="patches"):
        photos = str(lock.params("photos").get("data", {}).get("photos", ""))
    return Provenance(
        recipe=keys[0][1],
        preset=keys[0][2],
        seed=lock.params(trainer).get("seed"),
        phases=_phases(lock, trainer),
        photos=_name_of(photos),
        start=_start(lock),
        about=_about(root, photos),
        counts=lock.read_output("patches", "metrics/patches.json") if patches else {},
        model=_ROWS[trainer],
        metrics=lock.read_output("evaluate", "metrics/evaluate.json") if scored else {},
    )
