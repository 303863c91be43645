"""The table of results: runs the experiments of reports/results.yaml and shows their scores.

`run ROW...` runs rows with DVC in a temporary copy of the repository and saves their scores and
times in metrics/results/ROW.json; `repeat ROW...` reports whether they are the same again; `show`
(`make report`) writes docs/RESULTS.md, its pictures and the README's table from the saved files.
"""

import csv
import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from reports import markdown, results_page
from reports.command_line import ROOT, command_line, git
from reports.command_line import run as run_app
from reports.recipes import checkout, gaps, result_of
from srmodels.errors import ProtocolError
from srmodels.runs.times import TrackedRuns

RESULTS = ROOT / "metrics" / "results"
REPEATS = ROOT / "metrics" / "repeats"
PAGE = ROOT / "docs" / "RESULTS.md"
app = command_line("The table of results: run, collect and show its rows.")


def read_experiments(path: Path) -> dict[str, list[str]]:
    """The settings of every row: the common ones, then its own."""
    content = YAML(typ="safe").load(path)
    return {row: [*content["common"], *own] for row, own in content["rows"].items()}


def settings_of(row: str) -> list[str]:
    """A row's settings for `dvc exp run -S`."""
    experiments = read_experiments(ROOT / "reports" / "results.yaml")
    if row not in experiments:
        raise ProtocolError(
            f"reports/results.yaml: has no row {row!r}. Use one of {', '.join(experiments)}."
        )
    return experiments[row]


def curve_of(plots: Path, stage: str) -> list[list[float]]:
    """Step and PSNR-Y of every validation of a stage."""
    with (plots / f"{stage}_validation.csv").open(newline="") as file:
        return [[int(row["step"]), float(row["validation_psnr_y"])] for row in csv.DictReader(file)]


def collected(row: str, source: Path, runs: TrackedRuns) -> dict[str, Any]:
    """The content of metrics/results/ROW.json, from a run's folders metrics and plots."""
    settings = settings_of(row)
    values = dict(setting.split("=", 1) for setting in settings)
    result = result_of(values["model"], source / "metrics", runs)
    return {
        "row": row,
        **result,
        "settings": settings,
        "seed": int(values.get("seed") or YAML(typ="safe").load(ROOT / "params.yaml")["seed"]),
        "curves": {stage: curve_of(source / "plots", stage) for stage in result["training"]},
    }


def collected_from(row: str, revision: str) -> dict[str, Any]:
    """The result of an experiment, with the commit that it ran from."""
    with TemporaryDirectory() as folder:
        commit = checkout(revision, Path(folder))
        result = collected(row, Path(folder), TrackedRuns(ROOT))
    parent = git("rev-parse", "--short=10", f"{commit}~1").decode().strip()
    return {**result, "commit": parent}


def write(result: Mapping[str, Any], folder: Path) -> Path:
    """Saves a result, or the outcome of its repetition, in FOLDER/ROW.json."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{result['row']}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return path


def save_row(result: Mapping[str, Any]) -> None:
    """Saves a row, prints its file, and says what MLflow did not know of it."""
    path = write(result, RESULTS)
    typer.echo(path)
    for gap in gaps(result):
        typer.echo(f"{path}: {gap}", err=True)


def _of_training(settings: Iterable[str]) -> list[str]:
    return [setting for setting in settings if not setting.lstrip("+").startswith("evaluate.")]


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """The keys at which two results differ, except times, commit and device.

    Older results have no LPIPS or fewer sets, so only the scores that both have are compared.
    """
    different = []
    for key in sorted((first.keys() & second.keys()) - {"training", "commit", "device"}):
        one, two = first[key], second[key]
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            different += [f"{key}/{name}" for name in differences(one, two)]
        elif key == "settings":
            different += [] if _of_training(one) == _of_training(two) else [key]
        elif one != two:
            different.append(key)
    return different


def _read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def read_rows() -> list[dict[str, Any]]:
    """All results, in the order of reports/results.yaml."""
    rows = read_experiments(ROOT / "reports" / "results.yaml")
    return _read(RESULTS / f"{row}.json" for row in rows)


def read_repeats() -> list[dict[str, Any]]:
    """The outcomes of all repetitions, by row."""
    return _read(sorted(REPEATS.glob("*.json")))


def experiment(row: str) -> str:
    """Runs a row with DVC in a temporary copy of the repository; returns the experiment's name."""
    named = dict.fromkeys(re.findall(r"\$\{(\w+)\}", " ".join(settings_of(row))))
    if missing := [name for name in named if not Path(os.environ.get(name, "")).is_absolute()]:
        raise ProtocolError(
            f"{missing[0]}: not set. Export the absolute path that reports/results.yaml says."
        )
    settings = [os.path.expandvars(setting) for setting in settings_of(row)]
    commit = git("rev-parse", "--short", "HEAD").decode().strip()
    name = f"{row}-{commit}"  # unique
    words = [word for setting in settings for word in ("-S", setting)]
    done = subprocess.run(  # noqa: S603 - our own table's settings
        ["dvc", "exp", "run", "--temp", "--force", "--name", name, *words],  # noqa: S607
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise ProtocolError(f"{row}: the experiment failed. See its last lines above.")
    return name


Rows = Annotated[list[str], typer.Argument(help="Rows of reports/results.yaml.")]


@app.command()
def run(rows: Rows) -> None:
    """Run rows one after the other, and save their scores and times."""
    for row in rows:
        save_row(collected_from(row, experiment(row)))


@app.command()
def repeat(rows: Rows) -> None:
    """Run rows again, and save whether the scores are the same."""
    known = {result["row"]: result for result in read_rows()}
    for row in rows:
        settings_of(row)  # raises if the row is unknown
        if row not in known:
            raise ProtocolError(f"metrics/results: has no {row} to compare with. Run it first.")
    for row in rows:
        second = collected_from(row, experiment(row))
        different = differences(known[row], second)
        where = {key: second[key] for key in ("commit", "device")}
        outcome = {"row": row, "repeated": known[row]["commit"], **where}
        typer.echo(write({**outcome, "differences": different}, REPEATS))
        typer.echo(f"{row}: {', '.join(different) or 'the same to the last digit'}")


@app.command()
def collect(row: str, revision: str) -> None:
    """Save the scores and times of an experiment as a row."""
    save_row(collected_from(row, revision))


@app.command()
def command(row: str) -> None:
    """Print the command that repeats a row."""
    typer.echo(results_page.command_of(row, settings_of(row)))


@app.command()
def show() -> None:
    """Write docs/RESULTS.md, its pictures and the README's table."""
    results = read_rows()
    sections = {
        "results": results_page.results_table(results),
        "degraded": results_page.degraded_table(results),
        "repeats": results_page.repeats_list(read_repeats(), results),
        "commands": results_page.commands(results),
    }
    markdown.fill_sections(PAGE, sections)
    markdown.fill_sections(
        ROOT / "README.md", {"results": results_page.short_results_table(results)}
    )
    results_page.draw_curves(results, ROOT / "docs" / "curves.png")
    results_page.draw_scatter(results, ROOT / "docs" / "scatter.png")


if __name__ == "__main__":
    run_app(app)
