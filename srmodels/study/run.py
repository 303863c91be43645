"""The course of a study up to its last training."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from filelock import FileLock, Timeout

from srmodels.comparison.lock import digest_of_folder
from srmodels.comparison.sources import find_commit
from srmodels.config import check
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import read_photos
from srmodels.errors import BusyError, DataError, ProtocolError
from srmodels.machine import cores
from srmodels.study.commands import dvc
from srmodels.study.pace import seconds_per_step
from srmodels.study.photographs import LEAST_TEST, too_few
from srmodels.study.plan import (
    Plan,
    check_recipes,
    load_plan,
    read_settings,
    scaled_steps,
    steps_of,
)
from srmodels.study.queue import enqueue, wait

_WEIGHTS = 50e6  # bytes: weights, samples and checkpoints of a training, at least


def _check_test_photographs(root: Path) -> None:
    photos = read_photos(root / "data" / "photos")
    count = sum(photo.split == "test" for photo in photos)
    if count < LEAST_TEST:
        settings = check(read_settings(root)["data"], PhotosSettings, "data")
        raise too_few([photo.photo for photo in photos], count, settings)


def _check_space(root: Path, *, trainings: int, jobs: int) -> None:
    """Each worker of the queue has a copy of the patches."""
    patches = (path for path in (root / "data" / "patches").rglob("*") if path.is_file())
    needed = jobs * sum(path.stat().st_size for path in patches) + trainings * _WEIGHTS
    free = shutil.disk_usage(root).free
    if free < needed:
        raise DataError(
            f"study: too little space for the copies of the queue (got {free / 1e9:.1f} GB free of "
            f"{needed / 1e9:.1f} GB). Free space, or use --jobs 1."
        )


def make_plan(
    recipes: Sequence[str],
    *,
    preset: str,
    seeds: int,
    minutes: float | None,
    root: Path,
    jobs: int = 1,
) -> Plan:
    """The plan of a study whose patches are cut; an interrupted study has its earlier plan.

    `minutes` are those of the mean training while `jobs` run at once; None takes the preset's
    steps. Several at once have an equal share of the cores each.
    """
    values = read_settings(root)
    lock = (root / "dvc.lock").read_text(encoding="utf-8")
    facts = [
        *(find_commit("HEAD", root), digest_of_folder(lock, "data/patches"), list(recipes)),
        *(preset, minutes, {key: values[key] for key in ("data", "patches", "scale", "evaluate")}),
    ]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:6]
    folder = root / ".resume" / "study"
    plan = load_plan(folder, key)
    if plan is None:
        threads = max(1, cores() // jobs) if jobs > 1 else 0
        steps: dict[str, dict[str, int]] = {}
        if minutes is not None:
            steps = {recipe: steps_of(values, recipe, preset) for recipe in recipes}
            seconds = {}
            for recipe, phases in steps.items():
                seconds[recipe] = {
                    phase: seconds_per_step(
                        values, recipe, preset, phase, root=root, jobs=jobs, threads=threads
                    )
                    for phase in phases
                }
                paces = ", ".join(f"{phase} {s:.3f}" for phase, s in seconds[recipe].items())
                typer.echo(f"{recipe}: seconds per step: {paces}")
            steps = scaled_steps(steps, seconds, minutes)
        plan = Plan(
            key=key,
            preset=preset,
            recipes=tuple(recipes),
            seeds=seeds,
            steps=steps,
            threads=threads,
        )
        plan.save(folder)
    return dataclasses.replace(plan, seeds=seeds)  # more seeds go on with the same steps


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keeps other studies out of this repository; raises BusyError if one runs."""
    (root / ".resume").mkdir(exist_ok=True)
    lock = FileLock(root / ".resume" / "study.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(
            f"study: another study runs in this repository (got the lock {lock.lock_file}). Wait "
            "for its end."
        ) from None
    try:
        yield
    finally:
        lock.release()


def train(
    recipes: Sequence[str],
    *,
    preset: str,
    seeds: int,
    minutes: float | None,
    jobs: int,
    root: Path,
) -> Plan:
    """Cuts the patches of `data.photos`, and trains every recipe with every seed.

    Call it inside `alone`.

    Raises:
        ProtocolError: Too few recipes.
        DataError: The photographs are too few, or the space is.
        TrainingError: A command failed.
    """
    if seeds < 1:
        raise ProtocolError(f"--seeds: must be 1 or more (got {seeds}). Use 3.")
    check_recipes(read_settings(root), recipes, preset)
    dvc("repro", "patches", root=root)
    _check_test_photographs(root)
    _check_space(root, trainings=len(recipes) * seeds, jobs=jobs)
    plan = make_plan(recipes, preset=preset, seeds=seeds, minutes=minutes, root=root, jobs=jobs)
    enqueue(plan.trainings(), root=root)
    wait(plan.trainings(), jobs=jobs, root=root)
    return plan
