"""Recipes side by side: what each run scored and cost, and the README's table of them.

`python -m reports.recipes collect NAME` keeps, after a run of the recipe NAME, its scores and how
long it trained in metrics/recipes/NAME.json, with `--revision` those of an experiment from the
queue; `python -m reports.recipes table` writes the table of all such files into README.md. The
times come from MLflow, which alone has them: files that DVC compares hold none, so that a run
repeats them byte for byte.
"""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from reports import markdown
from reports.training_times import Runs, TrackedRuns, run_of, training_of
from srmodels.comparison.sources import find_source
from srmodels.errors import ProtocolError, SrmodelsError
from srmodels.evaluation.table import read_metrics, sets_of

ROOT = Path(__file__).resolve().parents[1]
SET = "test"
STAGES = ("pretrain", "gan")
MODELS = ("bicubic", "pretrained", "generator", "samples")
PAIR = (("psnr_y", 2), ("ssim_y", 4))  # and their digits
SCORES = ("psnr_y", "ssim_y", "sharpness", "colour_shift", "diversity")
HEADINGS = (
    *("recipe", "pretrained (dB)", "SSIM-Y", "generator (dB)", "SSIM-Y", "sharpness"),
    *("colour shift", "diversity", "parameters", "minutes", "images/s"),
)

app = typer.Typer(
    help="Recipes side by side: what each scored and cost.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _scores(rows: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {
        model: {name: rows[model][name] for name in SCORES if name in rows[model]}
        for model in MODELS
        if model in rows
    }


def result_of(recipe: str, metrics: Path, runs: Runs) -> dict[str, Any]:
    """What stands in metrics/recipes/NAME.json.

    Args:
        recipe: Its name.
        metrics: The folder of the pipeline's metrics files.
        runs: Where the times are.

    Raises:
        ProtocolError: There is no metrics/evaluate.json.
        TrainingError: MLflow has no run of this recipe with the scores of that file.
    """
    read = read_metrics(metrics / "evaluate.json")
    psnr = read[SET]["generator"]["psnr_y"]
    values = run_of(runs, recipe, metric=f"evaluate/{SET}/generator/psnr_y", value=psnr)
    steps = {
        stage: json.loads((metrics / f"{stage}.json").read_text(encoding="utf-8"))[stage]["steps"]
        for stage in STAGES
    }
    return {
        "recipe": recipe,
        "preset": values["preset"],
        "scores": _scores(read[SET]),
        "further": {name: _scores(rows) for name, rows in sets_of(read).items() if name != SET},
        "parameters": read["parameters"],
        "training": {
            stage: training_of(runs, values, stage, count)
            for stage, count in steps.items()
            if count
        },
    }


def number(values: Mapping[str, float], score: str, digits: int) -> str:
    """A score in so many digits, or "-" where it is none of the values."""
    return f"{values[score]:.{digits}f}" if score in values else "-"


def _row(result: Mapping[str, Any]) -> list[str]:
    """A recipe's line; one without an adversarial phase has no pretrained generator of its own."""
    scores, training = result["scores"], result["training"]
    pretrained = scores["pretrained"] if "gan" in training else {}
    generator = scores["generator"]
    times = [
        " + ".join(number(training[stage] or {}, name, digits) for stage in training)
        for name, digits in (("minutes", 1), ("images_per_second", 0))
    ]
    return [
        result["recipe"],
        *(number(each, *kind) for each in (pretrained, generator) for kind in PAIR),
        " -> ".join(number(each, "sharpness", 2) for each in (pretrained, generator) if each),
        number(generator, "colour_shift", 2),
        number(scores.get("samples", {}), "diversity", 2),
        f"{result['parameters']:,}",
        *times,
    ]


def recipes_table(results: Sequence[Mapping[str, Any]]) -> str:
    """The table in Markdown: bicubic, then a line per recipe.

    Raises:
        ProtocolError: There is no result, or they are not of the same pictures and preset.
    """
    if not results:
        raise ProtocolError("metrics/recipes: no result; `python -m reports.recipes collect NAME`")
    first = results[0]
    bicubic = first["scores"]["bicubic"]
    for each in results[1:]:
        if (each["preset"], each["scores"]["bicubic"]) != (first["preset"], bicubic):
            raise ProtocolError(
                f"metrics/recipes: {each['recipe']}.json is of another preset or of other pictures "
                f"than {first['recipe']}.json (preset or bicubic differ); collect both anew"
            )
    baseline = {"recipe": "bicubic", "scores": {"generator": bicubic}, "training": {}}
    lines = [_row({**baseline, "parameters": 0}), *map(_row, results)]
    lines[0][-3:] = ["-"] * 3
    return markdown.table(HEADINGS, lines)


def read_results(root: Path) -> list[dict[str, Any]]:
    """Every result there is, in the order of params.yaml."""
    order = list(YAML(typ="safe").load(root / "params.yaml")["models"])
    paths = [root / "metrics" / "recipes" / f"{name}.json" for name in order]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def with_recipes(text: str, results: Sequence[Mapping[str, Any]]) -> str:
    """The README's text with the table between its two marks."""
    return markdown.fill_section(text, "recipes", recipes_table(results))


def checkout(revision: str, target: Path) -> str:
    """Writes an experiment's or commit's folders of metrics and plots into a folder.

    Returns:
        Its commit.

    Raises:
        ProtocolError: There is no such revision.
    """
    commit = find_source(revision, root=ROOT).commit
    done = subprocess.run(  # noqa: S603 - a commit that git has just named
        ["git", "archive", commit, "metrics", "plots"],  # noqa: S607 - the user's git
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(target, filter="data")
    return commit


@app.command()
def collect(
    name: str,
    revision: Annotated[
        str, typer.Option(help="An experiment's revision, as `dvc exp list` names it.")
    ] = "",
) -> None:
    """Keep what the finished run of a recipe scored and cost in metrics/recipes/NAME.json."""
    with TemporaryDirectory() as folder:
        if revision:
            checkout(revision, Path(folder))
        source = Path(folder) if revision else ROOT
        result = result_of(name, source / "metrics", TrackedRuns(ROOT))
    path = ROOT / "metrics" / "recipes" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for stage, spent in result["training"].items():
        if spent is None:
            typer.echo(f"{path}: MLflow has no times of {stage}; no run there trained it", err=True)


@app.command()
def table() -> None:
    """Write the table of all results into README.md."""
    readme = ROOT / "README.md"
    text = with_recipes(readme.read_text(encoding="utf-8"), read_results(ROOT))
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        app()
    except SrmodelsError as error:
        sys.exit(f"error: {error}")
