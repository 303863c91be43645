"""The table of results: the experiments of docs/results.yaml run, collected and shown.

`python -m docs.results run ROW...` runs rows with DVC, in a temporary copy of the repository, and
collects them; `python -m docs.results command ROW` prints what it would run. What a row scored and
cost is kept in metrics/results/ROW.json; `python -m docs.results show`, which `make report` calls,
writes docs/RESULTS.md, its pictures and the README's table from those files and from nothing else.
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
        raise ProtocolError(f"docs/results.yaml: has no row {row!r}; {', '.join(experiments)}")
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


def write_row(row: str, revision: str) -> Path:
    """Keeps what an experiment scored and cost, with the commit it was run from."""
    with TemporaryDirectory() as folder:
        commit = checkout(revision, Path(folder))
        result = collected(row, Path(folder), TrackedRuns(ROOT))
    result["commit"] = _git("rev-parse", "--short=10", f"{commit}~1")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{row}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return path


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


def read_rows() -> list[dict[str, Any]]:
    """Every result there is, in the order of docs/results.yaml."""
    paths = [RESULTS / f"{row}.json" for row in read_experiments(ROOT / "docs" / "results.yaml")]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


@app.command()
def run(
    rows: Annotated[list[str], typer.Argument(help="Rows of docs/results.yaml.")],
) -> None:
    """Run rows, one after the other, and keep what they scored and cost."""
    if missing := [name for name in FOLDERS if not Path(os.environ.get(name, "")).is_absolute()]:
        raise ProtocolError(f"{missing[0]}: not set; the absolute path of a folder is right")
    before = _git("rev-parse", "--short", "HEAD")
    for row in rows:
        name = f"{row}-{before}"  # a name names one experiment
        settings = [os.path.expandvars(each) for each in settings_of(row)]
        words = [word for each in settings for word in ("-S", each)]
        done = subprocess.run(  # noqa: S603 - our own table's settings
            ["dvc", "exp", "run", "--temp", "--force", "--name", name, *words],  # noqa: S607
            cwd=ROOT,
            check=False,
        )
        if done.returncode:
            raise ProtocolError(f"{row}: the experiment failed; its last lines stand above")
        typer.echo(write_row(row, name))


@app.command()
def collect(row: str, revision: str) -> None:
    """Keep what an experiment scored and cost as a row."""
    typer.echo(write_row(row, revision))


@app.command()
def command(row: str) -> None:
    """Print what repeats a row."""
    typer.echo(command_of(row, settings_of(row)))


@app.command()
def show() -> None:
    """Write docs/RESULTS.md, its pictures and the README's table."""
    results = read_rows()
    page = marked.filled(PAGE.read_text(encoding="utf-8"), "results", results_table(results))
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
