"""What identifies and describes a training in MLflow: its inputs, parameters and photographs."""

import csv
import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from srmodels.data.patches.manifest import MANIFEST
from srmodels.data.store.index import INDEX
from srmodels.engine.tracking.mlflow_run import DatasetFacts, RunFacts
from srmodels.params import Params
from stages import PATCHES, dvc_root
from stages.dependencies import code_digests

_CODE = ("pretrain", "gan", "evaluate")


def _commit() -> str:
    git = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607 - whichever git the user has
        cwd=dvc_root(),
        capture_output=True,
        text=True,
        check=False,
    )
    return git.stdout.strip() or "no-commit"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _name(params: Params) -> str:
    """The name of the photographs: the preset of the bundled ones, a set, or a folder."""
    return params.preset if params.data.photos == "auto" else Path(params.data.photos).name


def test_set(params: Params) -> DatasetFacts:
    """The test photographs; their name holds four digits of their digest."""
    table = PATCHES / MANIFEST
    with table.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    used = sorted(row["sha256"] for row in rows if not row["skipped"])
    digest = hashlib.sha256("".join(used).encode()).hexdigest()
    plain = re.sub("[^A-Za-z0-9]", "_", _name(params))
    return DatasetFacts(
        name=f"{plain}-{digest[:4]}", digest=digest, use="test", counts={"photographs": len(used)}
    )


def _datasets(params: Params) -> list[DatasetFacts]:
    """Training and test photographs."""
    counts = json.loads(Path("metrics/patches.json").read_bytes())
    train = DatasetFacts(
        name=_name(params),
        digest=_digest(PATCHES / "train" / INDEX),
        use="train",
        counts={
            "photographs": counts["photos_read"] - sum(counts["whole_images"].values()),
            "patches": counts["patches"]["train"],
        },
    )
    return [train, test_set(params)]


def _objective(section: Mapping[str, Any]) -> str:
    words = (section["objective"].get(key, "") for key in ("name", "kind"))
    return " ".join(filter(None, words))


def _compared(params: Params) -> dict[str, object]:
    """The parameters that people compare; params.yaml has the others."""
    recipe: Any = params.values["recipe"]
    pretrain, gan = recipe["pretrain"], recipe.get("adversarial")
    training = params.recipe.pretrain.training
    compared: dict[str, object] = {
        "model": params.model,
        "preset": params.preset,
        "seed": params.seed,
        "scale": params.scale,
        "photos": _name(params),
        "pretrain.objective": _objective(pretrain),
        "pretrain.steps": training.steps,
        "pretrain.learning_rate": training.optimizer.learning_rate,
        "batch_size": training.batch_size,
        "patch_size": training.patch_size,
    }
    if gan and params.recipe.adversarial:
        training = params.recipe.adversarial.training
        weights = gan["objective"].get("weights", {})
        compared |= {
            "gan.objective": _objective(gan),
            "gan.weights": ", ".join(f"{name} {value}" for name, value in weights.items()),
            "gan.steps": training.steps,
            "gan.learning_rate": training.optimizer.learning_rate,
        }
    return compared


def run_facts(params: Params) -> RunFacts:
    """The facts of the training that the settings, the code and the data make."""
    return RunFacts(
        baseline=_commit(),
        inputs={
            "settings": params.values,
            "code": {name: code_digests(name, params.recipe) for name in _CODE},
            "data": [_digest(PATCHES / name) for name in (MANIFEST, f"train/{INDEX}")],
            "weights": _digest(Path(params.init_from)),
        },
        params=_compared(params),
        settings=params.values,
        tags={"model": params.model, "preset": params.preset},
        datasets=_datasets(params),
    )
