"""The table of results: runs the experiments of reports/results.yaml, collects and shows them.

`python -m reports.results run ROW...` runs rows with DVC, in a temporary copy of the repository,
and collects them; `python -m reports.results command ROW` prints what it would run. What a row
scored and cost is kept in metrics/results/ROW.json; `python -m reports.results show`, which
`make report` calls, writes docs/RESULTS.md, its pictures and the README's table from those files
and from nothing else. `python -m reports.results repeat ROW...` runs rows again, best in another
clone, and says whether they come out the same.
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

import matplotlib as mpl
import torch
import typer
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from ruamel.yaml import YAML

from reports import markdown
from reports.recipes import ROOT, STAGES, checkout, number, result_of
from reports.training_times import Runs, TrackedRuns
from srmodels.errors import ProtocolError, SrmodelsError

__all__ = ["draw_curves", "draw_scatter"]

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
        ProtocolError: reports/results.yaml has no such row.
    """
    experiments = read_experiments(ROOT / "reports" / "results.yaml")
    if row not in experiments:
        raise ProtocolError(
            f"reports/results.yaml: has no row {row!r}; one of {', '.join(experiments)} is right"
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
        raise ProtocolError("metrics/results: no result; `python -m reports.results run ROW`")
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
    return markdown.table(HEADINGS, lines)


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
    """Every result there is, in the order of reports/results.yaml."""
    paths = [RESULTS / f"{row}.json" for row in read_experiments(ROOT / "reports" / "results.yaml")]
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


Rows = Annotated[list[str], typer.Argument(help="Rows of reports/results.yaml.")]


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
    page = markdown.fill_section(
        PAGE.read_text(encoding="utf-8"), "results", results_table(results)
    )
    page = markdown.fill_section(page, "repeats", repeats())
    PAGE.write_text(markdown.fill_section(page, "commands", commands(results)), encoding="utf-8")
    readme = ROOT / "README.md"
    text = markdown.fill_section(
        readme.read_text(encoding="utf-8"), "results", results_table(results)
    )
    readme.write_text(text, encoding="utf-8")
    draw_curves(results, ROOT / "docs" / "curves.png")
    draw_scatter(results, ROOT / "docs" / "scatter.png")


Result = Mapping[str, Any]


def _minutes(result: Result, stage: str) -> float:
    times = result["training"][stage] or {}
    return float(times.get("minutes", 0))


def _save(figure: Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=100, metadata={"Software": None})  # the same bytes on every run


def draw_curves(results: Sequence[Result], path: Path) -> None:
    """PSNR-Y of the validation photographs over the minutes of pretraining, a line per row."""
    figure = Figure(figsize=(9, 5))
    axes = figure.subplots()
    colours = mpl.colormaps["tab20"]
    for place, result in enumerate(results):
        curve, minutes = result["curves"]["pretrain"], _minutes(result, "pretrain")
        if not curve or not minutes:
            continue
        last = curve[-1][0]
        x, y = [step / last * minutes for step, _ in curve], [psnr for _, psnr in curve]
        axes.plot(x, y, marker=".", color=colours(place % 20), label=result["row"])
    axes.set(xscale="log", xlabel="minutes of pretraining", ylabel="validation, PSNR-Y (dB)")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())  # within a decade matplotlib labels these, too
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    _save(figure, path)


def draw_scatter(results: Sequence[Result], path: Path) -> None:
    """BSD100: sharpness against PSNR-Y of bicubic and of every row, GANs with an arrow."""
    figure = Figure(figsize=(9, 5))
    axes = figure.subplots()
    points = {"bicubic": results[0]["further"]["BSD100"]["bicubic"]}
    points |= {each["row"]: each["further"]["BSD100"]["generator"] for each in results}
    colours, kinds = mpl.colormaps["tab20"], "*osD^vP"
    for place, (name, scores) in enumerate(points.items()):
        colour, marker = colours(place % 20), kinds[place % len(kinds)]
        axes.scatter(
            scores["psnr_y"], scores["sharpness"], s=45, label=name, color=colour, marker=marker
        )
    for each in results:
        if "gan" in each["training"]:
            rows = each["further"]["BSD100"]
            start, end = (
                (rows[m]["psnr_y"], rows[m]["sharpness"]) for m in ("pretrained", "generator")
            )
            axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "alpha": 0.4})
    axes.set(xlabel="BSD100, PSNR-Y (dB): less distortion to the right", ylabel="sharpness (HR: 1)")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    _save(figure, path)


if __name__ == "__main__":
    try:
        app()
    except SrmodelsError as error:
        sys.exit(f"error: {error}")
