"""docs/RECORDS.md: the best scores within 1, 8 and 30 minutes of training on a CPU.

`write` fills the page from metrics/results, metrics/records and reports/records.yaml; `run ROW`
runs the row of a record again, and says whether its scores are the same and how long it took. A
result that has been replaced, but still holds a record, lies in metrics/records.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from ruamel.yaml import YAML

from reports import markdown, results
from reports.command_line import ROOT, command_line
from reports.command_line import run as run_app
from reports.markdown import number
from reports.settings import write_as_dvc
from reports.training_flops import training_flops
from srmodels import models, params
from srmodels.errors import ProtocolError

PAGE = ROOT / "docs" / "RECORDS.md"
SOURCES = ROOT / "reports" / "records.yaml"
FORMER = ROOT / "metrics" / "records"
SETS = ("Set5", "Set14", "BSD100", "Urban100")
_SCORES = {"PSNR-Y": ("psnr_y", 2, max), "LPIPS": ("lpips", 3, min)}

Result = Mapping[str, Any]  # the content of metrics/results/ROW.json
app = command_line("The best scores within 1, 8 and 30 minutes of training on a CPU.")


def minutes_of(result: Result) -> float | None:
    """Minutes of the whole training; None if a phase was not measured."""
    phases = [phase and phase.get("minutes") for phase in result["training"].values()]
    return None if None in phases else sum(phases)


def flops_of(result: Result, path: Path = ROOT / "params.yaml") -> str:
    """The FLOPs of a row's training; "-" if params.yaml now says another network or other steps."""
    steps = {stage: int(curve[-1][0]) for stage, curve in result["curves"].items() if curve}
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "params.yaml"
        copy.write_bytes(path.read_bytes())
        write_as_dvc(copy, *(s for s in result["settings"] if "evaluate" not in s and "$" not in s))
        recipe = params.load(copy).recipe
    trained = {"pretrain": recipe.pretrain, "gan": recipe.adversarial}
    now = {stage: phase.training.steps for stage, phase in trained.items() if phase}
    network = models.build(recipe.generator.name, recipe.generator.settings)
    count = sum(parameter.numel() for parameter in network.parameters())
    if now != steps or count != result["parameters"]:
        return "-"
    return f"{training_flops(recipe, steps):.1e}"


def _score(result: Result, name: str, score: str) -> float | None:
    value = result["further"].get(name, {}).get("generator", {}).get(score)
    return None if value is None else float(value)


def records(rows: Sequence[Result], budgets: Sequence[int]) -> Iterator[tuple[str, int, Result]]:
    """Score, minutes and the best row on Set5 within them; the shorter of equal ones.

    Rows that begin with other weights are left out: their minutes are not all of their training.
    """
    timed = [
        (minutes, row)
        for row in rows
        if (minutes := minutes_of(row)) is not None
        and not any(setting.startswith("init_from=") for setting in row["settings"])
    ]
    for heading, (score, _, best) in _SCORES.items():
        for budget in budgets:
            fitting = [
                (value, row)
                for minutes, row in sorted(timed, key=lambda pair: pair[0])
                if minutes <= budget and (value := _score(row, "Set5", score)) is not None
            ]
            if fitting:
                yield heading, budget, best(fitting, key=lambda pair: pair[0])[1]


def _cells(row: Result, score: str, digits: int) -> list[str]:
    sets = row["further"]
    return [number(sets.get(name, {}).get("generator", {}), score, digits) for name in SETS]


def _to_verify(row: Result, former: Sequence[Result]) -> str:
    command = f"python -m reports.records run {row['row']}"
    if row in former:
        command = f"git switch --detach {row['commit']}; python -m reports.results run {row['row']}"
    return f"`{command}`"


def records_table(
    rows: Sequence[Result], budgets: Sequence[int], former: Sequence[Result] = ()
) -> str:
    """A line per record: the target, its scores, the clock, machine, commit and command."""
    flops: dict[tuple[str, str], str] = {}
    lines, machines = [], dict[str, str]()
    for heading, budget, row in records([*rows, *former], budgets):
        name, key = row["row"], (row["row"], row["commit"])
        if key not in flops:
            flops[key] = flops_of(row)
        machines[name] = row["device"]
        score, digits, _ = _SCORES[heading]
        lines.append(
            [
                *(f"{heading}, {budget} min", name, *_cells(row, score, digits)),
                *(f"{minutes_of(row):.1f}", flops[key], f"{row['parameters']:,}"),
                *(row["commit"], _to_verify(row, former)),
            ]
        )
    columns = ("target", "row", *SETS, "minutes", "FLOPs", "parameters", "commit", "to verify")
    return f"{markdown.table(columns, lines)}\n\n{markdown.machines(machines)}"


def _published_flops(entry: Mapping[str, Any]) -> str:
    """Of a published training, if its network is one of ours and its steps are stated."""
    if "network" not in entry:
        return "-"
    values = YAML(typ="safe").load(ROOT / "params.yaml")
    phase = {"objective": {"name": "pixel", "kind": "l1"}}
    keys = ("steps", "batch_size", "patch_size")
    phase["training"] = {key: entry[key] for key in keys}
    recipe = {"generator": entry["network"], "pretrain": phase, "adversarial": None}
    chosen = {**values, "model": "published", "preset": "paper", "training": {}}
    found = params.parse({**chosen, "models": {"published": {"paper": recipe}}}).recipe
    return f"{training_flops(found, {'pretrain': entry['steps']}):.1e}"


def published_table(entries: Sequence[Mapping[str, Any]]) -> str:
    """A line per published network."""
    heading = ("network", "photographs", *SETS[:3], "parameters", "FLOPs", "training", "source")
    lines = [
        [
            *(entry["name"], entry["photographs"]),
            *(number(entry, name, 2) for name in SETS[:3]),
            *(f"{entry['parameters']:,}", _published_flops(entry), entry["cost"], entry["source"]),
        ]
        for entry in entries
    ]
    return markdown.table(heading, lines)


def sections() -> dict[str, str]:
    """The generated parts of the page."""
    sources = YAML(typ="safe").load(SOURCES)
    former = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(FORMER.glob("*.json"))
    ]
    return {
        "records": records_table(results.read_rows(), sources["budgets"], former),
        "published": published_table(sources["published"]),
    }


@app.command()
def write() -> None:
    """Write the tables of docs/RECORDS.md."""
    markdown.fill_sections(PAGE, sections())


@app.command()
def run(row: str) -> None:
    """Run the row of a record again, and compare scores and minutes."""
    known = {result["row"]: result for result in results.read_rows()}
    results.settings_of(row)  # raises if the row is unknown
    if row not in known:
        raise ProtocolError(f"metrics/results: has no {row}. Run `python -m reports.results run`.")
    again = results.collected_from(row, results.experiment(row))
    different = results.differences(known[row], again)
    typer.echo(f"{row}: {', '.join(different) or 'the same to the last digit'}")
    for when, result in (("recorded", known[row]), ("now", again)):
        minutes = minutes_of(result)
        took = "unknown" if minutes is None else f"{minutes:.1f}"
        scores = ", ".join(
            f"{name} {number(result['further'].get(name, {}).get('generator', {}), 'psnr_y', 2)}"
            for name in SETS
        )
        typer.echo(f"{when}: {scores} dB; {took} minutes on {result['device']}")


if __name__ == "__main__":
    run_app(app)
