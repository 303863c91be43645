"""The table of results: the experiments of docs/results.yaml run, collected and shown.

`python -m docs.results run ROW...` runs rows with DVC, in a temporary copy of the repository, and
collects them; `python -m docs.results command ROW` prints what it would run. What a row scored and
cost is kept in metrics/results/ROW.json; `python -m docs.results show`, which `make report` calls,
writes docs/RESULTS.md, its pictures and the README's table from those files and from nothing else.
`python -m docs.results repeat ROW...` runs rows again, best in another clone, and says whether they
come out the same.
"""

import csv
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import typer
from ruamel.yaml import YAML

from docs import marked
from docs.recipes import ROOT, STAGES, checkout, number, result_of
from docs.results_pictures import draw_curves, draw_scatter
from srmodels.engine.tracked import Runs, TrackedRuns
from srmodels.errors import ProtocolError, SrmodelsError

RESULTS = ROOT / "metrics" / "results"
REPEATS = ROOT / "metrics" / "repeats"
PAGE = ROOT / "docs" / "RESULTS.md"
SETS = ("Set5", "BSD100", "test")
FOLDERS = ("BSDS400", "BENCHMARKS")
HEADINGS = (
    *("row", "recipe", *(f"{name}: PSNR-Y, SSIM-Y" for name in SETS), "sharpness"),
    *("colour shift", "diversity", "parameters", "minutes", "images/s"),
)

app = typer.Typer(
    help="The table of results: run, collect and show its rows.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def read_experiments(path: Path) -> dict[str, list[str]]:
    """The settings of every row, in the file's order: those of all rows, then its own."""
    found = YAML(typ="safe").load(path)
    return {name: [*found["common"], *own] for name, own in found["rows"].items()}


def settings_of(row: str) -> list[str]:
    """A row's settings, as `dvc exp run -S` takes them.

    Raises:
        ProtocolError: docs/results.yaml has no such row.
    """
    experiments = read_experiments(ROOT / "docs" / "results.yaml")
    if row not in experiments:
        raise ProtocolError(
            f"docs/results.yaml: has no row {row!r}; one of {', '.join(experiments)} is right"
        )
    return experiments[row]


def command_of(row: str, settings: Sequence[str]) -> str:
    """What a person types to repeat a row; $BSDS400 and $BENCHMARKS are left to the shell."""
    words = [f'"{each}"' if "$" in each else shlex.quote(each) for each in settings]
    return " ".join([f"dvc exp run --name {row}", *(f"-S {word}" for word in words)])


def hardware() -> dict[str, Any]:
    """What this machine trains on."""
    if torch.cuda.is_available():
        return {"device": torch.cuda.get_device_name()}
    kind = torch.backends.cpu.get_cpu_capability()
    return {"device": f"CPU, {len(os.sched_getaffinity(0))} cores, {kind}"}


def _git(*words: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", *words],  # noqa: S607 - the user's git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProtocolError(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def curve_of(plots: Path, stage: str) -> list[list[float]]:
    """Step and PSNR-Y of every validation of a stage."""
    with (plots / f"{stage}_validation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [[int(row["step"]), float(row["validation_psnr_y"])] for row in rows]


def collected(row: str, source: Path, runs: Runs) -> dict[str, Any]:
    """What stands in metrics/results/ROW.json, from a run's folders metrics and plots."""
    settings = settings_of(row)
    (model,) = (each.partition("=")[2] for each in settings if each.startswith("model="))
    result = result_of(model, source / "metrics", runs)
    seed = next((each[5:] for each in settings if each.startswith("seed=")), None)
    return {
        "row": row,
        **result,
        "settings": settings,
        "seed": int(seed or YAML(typ="safe").load(ROOT / "params.yaml")["seed"]),
        **hardware(),
        "curves": {stage: curve_of(source / "plots", stage) for stage in result["training"]},
    }


def collected_from(row: str, revision: str) -> dict[str, Any]:
    """What an experiment scored and cost, with the commit it was run from."""
    with TemporaryDirectory() as folder:
        commit = checkout(revision, Path(folder))
        result = collected(row, Path(folder), TrackedRuns(ROOT))
    return {**result, "commit": _git("rev-parse", "--short=10", f"{commit}~1")}


def write(result: Mapping[str, Any], folder: Path) -> Path:
    """Keeps a result, or what its repetition showed, in FOLDER/ROW.json."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{result['row']}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return path


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Which values of two results of one row differ, beside times and where they were run."""
    found, aside = [], {"training", "commit", "device"}
    for key in sorted((first.keys() | second.keys()) - aside):
        pair = first.get(key), second.get(key)
        if all(isinstance(each, Mapping) for each in pair):
            found += [f"{key}/{each}" for each in differences(*pair)]  # type: ignore[arg-type]  # both are mappings
        elif pair[0] != pair[1]:
            found.append(key)
    return found


def _pair(scores: Mapping[str, Mapping[str, float]], model: str) -> str:
    values = scores.get(model, {})
    return f"{number(values, 'psnr_y', 2)}, {number(values, 'ssim_y', 4)}"


def _line(name: str, result: Mapping[str, Any], model: str) -> list[str]:
    """A line of the table: a model of a row, or the baseline, which has no trainings."""
    sets = {"test": result["scores"], **result["further"]}
    shown, training = sets["BSD100"][model], result["training"]
    times = {"generator": STAGES, "pretrained": STAGES[:1]}.get(model, ())
    cost = [
        " + ".join(
            number(training[stage] or {}, key, digits) for stage in times if stage in training
        )
        for key, digits in (("minutes", 1), ("images_per_second", 0))
    ]
    return [
        name,
        result["recipe"] if times else "-",
        *(_pair(sets[each], model) for each in SETS),
        *(number(shown, "sharpness", 2), number(shown, "colour_shift", 2)),
        number(sets["BSD100"].get("samples", {}) if times else {}, "diversity", 2),
        f"{result['parameters']:,}" if times else "-",
        *(each or "-" for each in cost),
    ]


def results_table(results: Sequence[Mapping[str, Any]]) -> str:
    """The table in Markdown: bicubic, then a line per row, two where a GAN follows.

    Raises:
        ProtocolError: There is no result, or they are not of the same pictures.
    """
    if not results:
        raise ProtocolError("metrics/results: no result; `python -m docs.results run ROW`")
    lines = [_line("bicubic", results[0], "bicubic")]
    for result in results:
        if result["further"]["Set5"]["bicubic"] != results[0]["further"]["Set5"]["bicubic"]:
            raise ProtocolError(
                f"metrics/results: {result['row']}.json is of other pictures than "
                f"{results[0]['row']}.json (bicubic differs on Set5); run both anew"
            )
        if "gan" in result["training"]:
            lines.append(_line(f"{result['row']}, pretrained", result, "pretrained"))
        lines.append(_line(result["row"], result, "generator"))
    return marked.table(HEADINGS, lines)


def commands(results: Sequence[Mapping[str, Any]]) -> str:
    """How each row is repeated, and what it was run from and on."""
    return "\n\n".join(
        f"**{each['row']}**: seed {each['seed']}, commit {each['commit']}, {each['device']}\n\n"
        f"```sh\n{command_of(each['row'], each['settings'])}\n```"
        for each in results
    )


def repeats() -> str:
    """What came of the repetitions, a line each."""
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(REPEATS.glob("*.json"))]
    return "\n".join(
        f"- **{each['row']}**, commit {each['commit']}, {each['device']}: "
        + (f"other {', '.join(each['differences'])}" if each["differences"] else "the same")
        for each in kept
    )


def read_rows() -> list[dict[str, Any]]:
    """Every result there is, in the order of docs/results.yaml."""
    paths = [RESULTS / f"{row}.json" for row in read_experiments(ROOT / "docs" / "results.yaml")]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def experiment(row: str) -> str:
    """Runs a row with DVC in a temporary copy of the repository; returns the experiment's name.

    Raises:
        ProtocolError: A folder that the settings name is not set, or the experiment fails.
    """
    own = settings_of(row)
    if missing := [name for name in FOLDERS if not Path(os.environ.get(name, "")).is_absolute()]:
        raise ProtocolError(f"{missing[0]}: not set; the absolute path of a folder is right")
    name = f"{row}-{_git('rev-parse', '--short', 'HEAD')}"  # a name names one experiment
    settings = [os.path.expandvars(each) for each in own]
    words = [word for each in settings for word in ("-S", each)]
    done = subprocess.run(  # noqa: S603 - our own table's settings
        ["dvc", "exp", "run", "--temp", "--force", "--name", name, *words],  # noqa: S607
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise ProtocolError(f"{row}: the experiment failed; its last lines stand above")
    return name


Rows = Annotated[list[str], typer.Argument(help="Rows of docs/results.yaml.")]


@app.command()
def run(rows: Rows) -> None:
    """Run rows, one after the other, and keep what they scored and cost."""
    for row in rows:
        typer.echo(write(collected_from(row, experiment(row)), RESULTS))


@app.command()
def repeat(rows: Rows) -> None:
    """Run rows again, and keep whether they came out the same."""
    kept = {each["row"]: each for each in read_rows()}
    for row in rows:
        settings_of(row)  # refuses what is no row at all
        if row not in kept:
            raise ProtocolError(f"metrics/results: has no {row} to compare with; `run` it first")
    for row in rows:
        second = collected_from(row, experiment(row))
        found = differences(kept[row], second)
        where = {key: second[key] for key in ("row", "commit", "device")}
        typer.echo(write({**where, "differences": found}, REPEATS))
        typer.echo(f"{row}: {', '.join(found) or 'the same to the last digit'}")


@app.command()
def collect(row: str, revision: str) -> None:
    """Keep what an experiment scored and cost as a row."""
    typer.echo(write(collected_from(row, revision), RESULTS))


@app.command()
def command(row: str) -> None:
    """Print what repeats a row."""
    typer.echo(command_of(row, settings_of(row)))


@app.command()
def show() -> None:
    """Write docs/RESULTS.md, its pictures and the README's table."""
    results = read_rows()
    page = marked.filled(PAGE.read_text(encoding="utf-8"), "results", results_table(results))
    page = marked.filled(page, "repeats", repeats())
    PAGE.write_text(marked.filled(page, "commands", commands(results)), encoding="utf-8")
    readme = ROOT / "README.md"
    text = marked.filled(readme.read_text(encoding="utf-8"), "results", results_table(results))
    readme.write_text(text, encoding="utf-8")
    draw_curves(results, ROOT / "docs" / "curves.png")
    draw_scatter(results, ROOT / "docs" / "scatter.png")


if __name__ == "__main__":
    try:
        app()
    except SrmodelsError as error:
        sys.exit(f"error: {error}")
