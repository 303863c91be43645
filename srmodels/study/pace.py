"""The time of a training step on this machine, by the stages' own --profile."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ruamel.yaml import YAML

from srmodels.errors import TrainingError
from srmodels.study.commands import fault_in
from srmodels.study.plan import PHASES

_STAGES = dict(zip(PHASES, ("pretrain", "gan"), strict=True))
_STEP = re.compile(r"^a step +([\d.]+) ms", re.MULTILINE)


def _settings_text(values: Mapping[str, Any], recipe: str, preset: str, phase: str) -> str:
    """params.yaml for a profile: from random weights, without perceptual scores."""
    section = values["models"][recipe][preset]
    if section.get(phase) and phase == "adversarial":
        section = {**section, phase: {**section[phase], "init": "scratch"}}
    chosen = {
        **values,
        "model": recipe,
        "preset": preset,
        "evaluate": {**values["evaluate"], "perceptual": False},
        "models": {recipe: {preset: section}},
    }
    text = StringIO()
    YAML(typ="safe").dump(chosen, text)
    return text.getvalue()


def seconds_per_step(
    values: Mapping[str, Any], recipe: str, preset: str, phase: str, *, root: Path
) -> float:
    """Seconds of one step of a phase ("pretrain", "adversarial") on the patches of `root`."""
    root = root.resolve()
    with TemporaryDirectory() as place:
        folder = Path(place)
        text = _settings_text(values, recipe, preset, phase)
        (folder / "params.yaml").write_text(text, encoding="utf-8")
        (folder / "data").symlink_to(root / "data")
        done = subprocess.run(  # noqa: S603 - our own stage
            [sys.executable, "-m", f"stages.{_STAGES[phase]}", "--profile"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    found = _STEP.search(done.stdout)
    if found is None:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise TrainingError(
            fault_in(done.stderr) or f"{recipe}: its pace cannot be measured (got {last[0]})"
        )
    return float(found[1]) / 1000
