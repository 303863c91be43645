"""The table of recipes in docs/RECIPES.md: what each scored and cost.

`collect NAME` saves scores and training times of a finished run in metrics/recipes/NAME.json;
`table` writes the table of all these files into docs/RECIPES.md.
"""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from reports import markdown
from reports.command_line import ROOT, command_line, git, run
from reports.markdown import NOT_RECORDED, number, training_cells
from srmodels.comparison.sources import find_source
from srmodels.errors import ProtocolError
from srmodels.evaluation.table import read_metrics, sets_of
from srmodels.runs.times import TrackedRuns, machine_of, run_of, training_of

PAGE = ROOT / "docs" / "RECIPES.md"
SET = "test"
STAGES = ("pretrain", "gan")
MODELS = ("bicubic", "pretrained", "generator", "samples")
SCORES = (
    *("psnr_y", "ssim_y", "lpips", "dists", "niqe", "sharpness", "colour_shift", "diversity"),
)
HEADINGS = (
    *("recipe", "pretrained (dB)", "SSIM-Y", "generator (dB)", "SSIM-Y", "LPIPS", "sharpness"),
    *("colour shift", "diversity", "parameters", "minutes", "images/s"),
)

app = command_line("Recipes side by side: what each scored and cost.")


Scores = Mapping[str, Mapping[str, float]]  # by model and score


def _scores(rows: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {
        model: {name: rows[model][name] for name in SCORES if name in rows[model]}
        for model in MODELS
        if model in rows
    }


def device_of(machines: Mapping[str, str | None]) -> str:
    """The machine that trained, from that of each stage; of each stage by name if they differ."""
    named = {stage: machine or NOT_RECORDED for stage, machine in machines.items()}
    if len(set(named.values())) > 1:
        return "; ".join(f"{stage}: {machine}" for stage, machine in named.items())
    return next(iter(named.values()), NOT_RECORDED)


def gaps(result: Mapping[str, Any]) -> list[str]:
    """What MLflow did not know of a result: sentences for the terminal."""
    found = [
        f"MLflow has no times of {stage}, because no run trained it"
        for stage, times in result["training"].items()
        if times is None
    ]
    if NOT_RECORDED in result["device"]:
        found.append(
            f"MLflow does not name the machine of each training (got {result['device']!r}). Train "
            "again to record it."
        )
    return found


def result_of(recipe: str, metrics: Path, runs: TrackedRuns) -> dict[str, Any]:
    """The content of metrics/recipes/NAME.json, from the folder of the metrics files and MLflow."""
    evaluation = read_metrics(metrics / "evaluate.json")
    psnr = evaluation[SET]["generator"]["psnr_y"]
    values = run_of(runs, recipe, score="/generator/psnr_y", value=psnr)
    steps = {
        stage: json.loads((metrics / f"{stage}.json").read_text(encoding="utf-8"))[stage]["steps"]
        for stage in STAGES
    }
    steps = {stage: count for stage, count in steps.items() if count}
    sets = sets_of(evaluation)
    return {
        "recipe": recipe,
        "preset": values["preset"],
        "scores": _scores(evaluation[SET]),
        "further": {name: _scores(rows) for name, rows in sets.items() if name != SET},
        "parameters": evaluation["parameters"],
        "device": device_of(
            {stage: machine_of(runs, values, stage, count) for stage, count in steps.items()}
        ),
        "training": {
            stage: training_of(runs, values, stage, count) for stage, count in steps.items()
        },
    }


def _row(result: Mapping[str, Any]) -> list[str]:
    """A recipe's line; without a GAN phase only the generator has scores."""
    scores, training = result["scores"], result["training"]
    pretrained = scores["pretrained"] if "gan" in training else {}
    phases = [pretrained, scores["generator"]]
    pairs = [
        number(phase, score, digits)
        for phase in phases
        for score, digits in (("psnr_y", 2), ("ssim_y", 4))
    ]
    return [
        result["recipe"],
        *pairs,
        " -> ".join(number(phase, "lpips", 3) for phase in phases if "lpips" in phase) or "-",
        " -> ".join(number(phase, "sharpness", 2) for phase in phases if phase),
        number(scores["generator"], "colour_shift", 2),
        number(scores.get("samples", {}), "diversity", 2),
        f"{result['parameters']:,}",
        *training_cells(training, list(training)),
    ]


def agree(one: Scores, other: Scores) -> bool:
    """Whether bicubic has the same scores, so that the pictures are the same.

    Older results have no LPIPS, so only the scores that both have are compared.
    """
    shared = one["bicubic"].keys() & other["bicubic"].keys()
    return all(one["bicubic"][name] == other["bicubic"][name] for name in shared)


def recipes_table(results: Sequence[Mapping[str, Any]]) -> str:
    """The table in Markdown: bicubic, then a line per recipe, all on the same images."""
    if not results:
        raise ProtocolError(
            "metrics/recipes: no result. Run `python -m reports.recipes collect NAME`."
        )
    first = results[0]
    for result in results[1:]:
        if result["preset"] != first["preset"] or not agree(result["scores"], first["scores"]):
            raise ProtocolError(
                f"metrics/recipes: {result['recipe']}.json is of another preset or of other "
                f"pictures than {first['recipe']}.json (preset or bicubic differ). Collect both "
                "again."
            )
    bicubic = max((result["scores"]["bicubic"] for result in results), key=len)
    baseline = {"recipe": "bicubic", "scores": {"generator": bicubic}, "training": {}}
    bicubic_row = [*_row({**baseline, "parameters": 0})[:-3], "-", "-", "-"]
    table = markdown.table(HEADINGS, [bicubic_row, *map(_row, results)])
    return f"{table}\n\n{markdown.machines({row['recipe']: row.get('device') for row in results})}"


def read_results(root: Path) -> list[dict[str, Any]]:
    """All results, in the order of params.yaml."""
    names = YAML(typ="safe").load(root / "params.yaml")["models"]
    paths = [root / "metrics" / "recipes" / f"{name}.json" for name in names]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def checkout(revision: str, target: Path) -> str:
    """Writes the folders metrics and plots of a revision into `target`; returns its commit."""
    commit = find_source(revision, root=ROOT).commit
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit, "metrics", "plots"))) as archive:
        archive.extractall(target, filter="data")
    return commit


@app.command()
def collect(
    name: str,
    revision: Annotated[
        str, typer.Option(help="An experiment's revision, as `dvc exp list` names it.")
    ] = "",
) -> None:
    """Save the scores and times of a recipe's finished run in metrics/recipes/NAME.json."""
    with TemporaryDirectory() as folder:
        if revision:
            checkout(revision, Path(folder))
        source = Path(folder) if revision else ROOT
        result = result_of(name, source / "metrics", TrackedRuns(ROOT))
    path = ROOT / "metrics" / "recipes" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for gap in gaps(result):
        typer.echo(f"{path}: {gap}", err=True)


@app.command()
def table() -> None:
    """Write the table of all results into docs/RECIPES.md."""
    markdown.fill_sections(PAGE, {"recipes": recipes_table(read_results(ROOT))})


if __name__ == "__main__":
    run(app)
