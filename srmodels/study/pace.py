"""The time of a training step on this machine, by the stages' own --profile."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    values: Mapping[str, Any],
    recipe: str,
    preset: str,
    phase: str,
    *,
    root: Path,
    jobs: int = 1,
    threads: int = 0,
) -> float:
    """Seconds of one step of a phase ("pretrain", "adversarial") on the patches of `root`.

    Measured while `jobs` trainings run at once, each with `threads` threads (0: PyTorch's number).
    """
    root = root.resolve()
    environment = {**os.environ, "PYTHONPATH": str(root)}
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    with TemporaryDirectory() as place:
        folder = Path(place)
        text = _settings_text(values, recipe, preset, phase)
        (folder / "params.yaml").write_text(text, encoding="utf-8")
        (folder / "data").symlink_to(root / "data")
        command = [sys.executable, "-m", f"stages.{_STAGES[phase]}", "--profile"]
        with ThreadPoolExecutor(jobs) as pool:
            ended = list(pool.map(lambda _: _run(command, folder, environment), range(jobs)))
    return sum(_step_of(done, recipe) for done in ended) / jobs


def _run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own stage
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _step_of(done: subprocess.CompletedProcess[str], recipe: str) -> float:
    found = _STEP.search(done.stdout)
    if found is None:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise TrainingError(
            fault_in(done.stderr) or f"{recipe}: its pace cannot be measured (got {last[0]})"
        )
    return float(found[1]) / 1000
