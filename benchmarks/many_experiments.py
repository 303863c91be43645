"""Many smoke experiments in DVC's queue: how many succeed, what each costs, what survives.

In a clone the smoke preset runs once and is committed, as docs/EXPERIMENTS.md advises. Then several
recipes and seeds are queued, and results, MLflow runs and .resume are checked. Linux only.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from benchmarks.report import Cell, report
from benchmarks.usage import Usage, command_usage
from srmodels.engine.tracking.curves import Point, read_points
from srmodels.runs.store import EXPERIMENT
from srmodels.runs.times import TrackedRuns

ROOT = Path(__file__).parents[1]
RECIPES = ("srcnn", "srresnet", "srgan", "edsr", "span")
STAGES = {"pretrain": "pretrain", "gan": "adversarial"}  # and their sections of a recipe
DVC = (sys.executable, "-m", "dvc")
SRMODELS = (sys.executable, "-m", "srmodels.cli.main")
_NAME = re.compile(r"[a-z]+-[a-z]+")  # that DVC invents
_POLL, _STATUS, _PATIENCE = 0.5, 30.0, 900.0  # seconds; the last one without a finished experiment
_CHANGES = (
    ("preset: quickstart", "preset: smoke"),
    ("perceptual: true # LPIPS", "perceptual: false # LPIPS"),  # ten seconds of each evaluation
)


def _environment() -> dict[str, str]:
    """This Python first on the path; nothing of an outer DVC, MLflow or checkout."""
    outer = ("DVC_", "MLFLOW_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    for role in ("AUTHOR", "COMMITTER"):
        kept |= {f"GIT_{role}_NAME": "b", f"GIT_{role}_EMAIL": "b@example.org"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": path, "DVC_NO_ANALYTICS": "1", "OMP_NUM_THREADS": "1"}


@dataclass
class Place:
    """A clone of the repository, and the log of all commands beside it."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=_environment)

    @property
    def log(self) -> Path:
        """What the commands printed."""
        return self.folder.with_name("commands.log")

    def timed(self, *command: str) -> Usage:
        """Runs a command, which must succeed."""
        code, usage = command_usage(command, self.folder, self.environment, self.log)
        if code:
            tail = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            sys.exit(f"{tail}\n{' '.join(command)}: failed (got exit code {code}).")
        return usage

    def output(self, *command: str) -> str:
        """What a short command prints; "" if it fails."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, check=False
        )
        return "" if done.returncode else done.stdout.decode()

    def finished(self) -> dict[str, str]:
        """The commits of finished experiments by name; much faster than `dvc exp list`."""
        words = ("git", "for-each-ref", "--format=%(refname) %(objectname)", "refs/exps/")
        lines = (line.rpartition("/")[2].split() for line in self.output(*words).splitlines())
        return {name: commit for name, commit in lines if _NAME.fullmatch(name)}


def prepare(place: Place) -> Usage:
    """Clones, runs the smoke preset once and commits its results."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(place.folder)], check=True)
    params = place.folder / "params.yaml"
    text = params.read_text(encoding="utf-8")
    for old, new in _CHANGES:
        assert old in text, f"params.yaml has no {old!r}"
        text = text.replace(old, new, 1)
    params.write_text(text, encoding="utf-8")
    usage = place.timed(*DVC, "repro")
    place.timed("git", "add", "-A")
    place.timed("git", "commit", "-qm", "smoke")
    return usage


def enqueue(place: Place, count: int, recipes: Sequence[str]) -> Usage:
    """Queues `count` experiments: seeds of each recipe."""
    total = Usage()
    for number, recipe in enumerate(recipes[:count]):
        seeds = range(1, 1 + len(range(number, count, len(recipes))))
        changes = (f"model={recipe}", f"seed={','.join(map(str, seeds))}")
        used = place.timed(*DVC, "exp", "run", "--queue", "-S", changes[0], "-S", changes[1])
        total.seconds, total.cpu = total.seconds + used.seconds, total.cpu + used.cpu
    return total


def work_off(place: Place, count: int, workers: int) -> tuple[Usage, int]:
    """Lets workers run the queue; returns what it took, and how many experiments failed.

    The seconds end with the last result, the CPU seconds with the last worker.
    """
    start = last = asked = time.perf_counter()
    command = [*DVC, "queue", "start", "-j", str(workers)]
    with place.log.open("ab") as log:
        subprocess.run(
            command, cwd=place.folder, env=place.environment, stdout=log, stderr=log, check=True
        )
    done = failed = 0
    while done + failed < count and time.perf_counter() - last < _PATIENCE:
        time.sleep(_POLL)
        if (now := len(place.finished())) > done:
            done, last = now, time.perf_counter()
            print(f"{done} of {count} after {last - start:.0f} s", file=sys.stderr, flush=True)
        if time.perf_counter() - asked > _STATUS:
            asked = time.perf_counter()
            failed = place.output(*DVC, "queue", "status").count(" Failed")
    usage = place.timed(*DVC, "queue", "stop")  # and the workers, which are adopted
    usage.seconds = last - start
    return usage, failed


def _committed_curves(place: Place, commit: str) -> dict[str, list[Point]]:
    """The points of the CSV files of an experiment, by stage."""

    def points(table: str) -> list[Point]:
        file = place.folder.with_name("curve.csv")
        file.write_text(place.output("git", "show", f"{commit}:plots/{table}.csv"))
        return read_points(file)

    return {stage: points(stage) + points(f"{stage}_validation") for stage in STAGES}


@dataclass
class Survey:
    """What MLflow and the repository hold after the queue."""

    runs: int = 0  # experiments with exactly one MLflow run, which is FINISHED
    points: int = 0  # of the curves that these experiments have committed
    lost: int = 0  # of these points, how many MLflow lacks
    training: list[float] = field(default_factory=list)  # seconds of each experiment's steps
    cut: int = 0  # how often the stage `patches` ran
    warnings: int = 0  # lines of the logs about MLflow or a locked database
    left: int = 0  # checkpoints in .resume, which a finished training removes


def _training_seconds(tracked: TrackedRuns, run: str, settings: Mapping[str, str]) -> float:
    total = 0.0
    for stage, section in STAGES.items():
        points = tracked.points(run, f"{stage}/images_per_second")
        ends = [0, *(step for step, _ in points)]
        for (first, end), (_, speed) in zip(pairwise(ends), points, strict=True):
            total += int(settings[f"recipe.{section}.training.batch_size"]) * (end - first) / speed
    return total


def survey(place: Place) -> Survey:
    """Compares each experiment's MLflow run with its own files."""
    found, tracked = Survey(), TrackedRuns(place.folder)
    experiment = tracked.client.get_experiment_by_name(EXPERIMENT).experiment_id
    settings = dict(tracked.settings())
    for name, commit in place.finished().items():
        runs = tracked.client.search_runs([experiment], f"tags.`dvc.exp_name` = '{name}'")
        if [run.info.status for run in runs] != ["FINISHED"]:
            continue
        found.runs += 1
        run = runs[0].info.run_id
        for stage, points in _committed_curves(place, commit).items():
            found.points += len(points)
            for curve in {name for _, name, _ in points}:
                steps = {step for step, name, _ in points if name == curve}
                found.lost += len(steps - {at for at, _ in tracked.points(run, f"{stage}/{curve}")})
        found.training.append(_training_seconds(tracked, run, settings[run]))
    for log in (place.folder / ".dvc" / "tmp" / "exps" / "run").glob("*/*.out"):
        text = log.read_text(encoding="utf-8", errors="replace")
        found.cut += text.count("Running stage 'patches'")
        found.warnings += text.count("MLflow at ") + text.count("is locked")
    found.left = len([*(place.folder / ".resume").rglob("*.pt")])
    return found


def measure(place: Place, count: int, workers: int, recipes: Sequence[str]) -> list[list[Cell]]:
    """Does everything; returns the table's rows: what, value, what the project asks for."""
    first = prepare(place)
    queued = enqueue(place, count, recipes)
    work, failed = work_off(place, count, workers)
    found, done = survey(place), len(place.finished())
    assert found.training, f"no experiment has finished with an MLflow run; see {place.log}"
    trained = mean(found.training)
    show = place.timed(*DVC, "exp", "show", "--md")
    listed = place.timed(*SRMODELS, "list")
    page = place.timed(*SRMODELS, "report", "-o", str(place.folder.with_name("report.html")))

    def spent(usage: Usage, among: int = 1) -> str:
        return f"{usage.seconds / among:.1f} ({usage.cpu / among:.1f} of CPU)"

    return [
        ["experiments that succeeded", f"{done} of {count} ({failed} failed)", "all"],
        ["with one finished MLflow run", f"{found.runs} of {done}", "all"],
        ["points of their curves that MLflow lacks", f"{found.lost} of {found.points}", "0"],
        ["warnings of MLflow or of a locked database", found.warnings, "0"],
        ["times that patches were cut after the first run", found.cut, "0"],
        ["checkpoints left in .resume", found.left, "0"],
        ["the first run: seconds", spent(first), "-"],
        ["queueing: seconds per experiment", spent(queued, count), "-"],
        ["running: seconds per experiment", spent(work, done), "-"],
        ["its training steps, in its worker: seconds", f"{trained:.1f}", "-"],
        ["beyond them: seconds", f"{work.seconds / done - trained / workers:.1f}", "6"],
        ["dvc exp show: seconds", spent(show), "5"],
        ["srmodels list: seconds", spent(listed), "-"],
        ["srmodels report: seconds", spent(page), "20"],
    ]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--experiments", type=int, default=50)
    parser.add_argument("--workers", type=int, default=4, help="of `dvc queue start`; default: 4")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--folder", type=Path, help="an empty one to work in, which is kept")
    parser.add_argument("--json", type=Path, help="where to keep the table")
    given = parser.parse_args()
    counts = {"experiments": given.experiments, "workers": given.workers}
    with TemporaryDirectory() as temporary:
        place = Place((given.folder or Path(temporary)).resolve() / "repository")
        place.folder.parent.mkdir(parents=True, exist_ok=True)
        rows = measure(place, given.experiments, given.workers, given.recipes)
    report(
        f"{given.experiments} experiments of the smoke preset, {given.workers} workers",
        ("ours", "measured", "asked"),
        rows,
        settings={**counts, "recipes": ", ".join(given.recipes)},
        path=given.json,
    )


if __name__ == "__main__":
    main()
