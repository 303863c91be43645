"""The generated sections of docs/RESULTS.md: the table, the repetitions, the commands."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from reports import markdown
from reports.markdown import number, training_cells
from reports.recipes import STAGES
from srmodels.errors import ProtocolError

Result = Mapping[str, Any]  # the content of metrics/results/ROW.json
SETS = ("Set5", "BSD100", "test")
HEADINGS = (
    *("row", "recipe", *(f"{name}: PSNR-Y, SSIM-Y" for name in SETS), "sharpness"),
    *("colour shift", "diversity", "parameters", "minutes", "images/s"),
)


def _line(name: str, result: Result, model: str) -> list[str]:
    """A model's line of the table; bicubic has no training."""
    sets = {"test": result["scores"], **result["further"]}
    scores, training = sets["BSD100"][model], result["training"]
    stages = {"generator": STAGES, "pretrained": STAGES[:1]}.get(model, ())
    pairs = [sets[test_set].get(model, {}) for test_set in SETS]
    cells = training_cells(training, [stage for stage in stages if stage in training])
    return [
        name,
        result["recipe"] if stages else "-",
        *(f"{number(pair, 'psnr_y', 2)}, {number(pair, 'ssim_y', 4)}" for pair in pairs),
        *(number(scores, "sharpness", 2), number(scores, "colour_shift", 2)),
        number(sets["BSD100"].get("samples", {}) if stages else {}, "diversity", 2),
        f"{result['parameters']:,}" if stages else "-",
        *(cell or "-" for cell in cells),
    ]


def results_table(results: Sequence[Result]) -> str:
    """The table in Markdown: bicubic, then a line per row, or two if a GAN phase follows."""
    if not results:
        raise ProtocolError("metrics/results: no result. Run `python -m reports.results run ROW`.")
    lines = [_line("bicubic", results[0], "bicubic")]
    for result in results:
        if result["further"]["Set5"]["bicubic"] != results[0]["further"]["Set5"]["bicubic"]:
            raise ProtocolError(
                f"metrics/results: {result['row']}.json is of other pictures than "
                f"{results[0]['row']}.json (bicubic differs on Set5). Run both again."
            )
        if "gan" in result["training"]:
            lines.append(_line(f"{result['row']}, pretrained", result, "pretrained"))
        lines.append(_line(result["row"], result, "generator"))
    return markdown.table(HEADINGS, lines)


def commands(results: Sequence[Result]) -> str:
    """The command of each row, with its seed, commit and device."""
    return "\n\n".join(
        f"**{result['row']}**: seed {result['seed']}, commit {result['commit']}, "
        f"{result['device']}\n\n```sh\n{command_of(result['row'], result['settings'])}\n```"
        for result in results
    )


def command_of(row: str, settings: Sequence[str]) -> str:
    """The shell command that repeats a row; the shell expands $BSDS400 and $BENCHMARKS."""
    words = [f'"{setting}"' if "$" in setting else shlex.quote(setting) for setting in settings]
    return " ".join([f"dvc exp run --name {row}", *(f"-S {word}" for word in words)])


def repeats_list(repeats: Sequence[Result]) -> str:
    """The outcomes of the repetitions, a line each."""
    return "\n".join(
        f"- **{repeat['row']}**, commit {repeat['commit']}, {repeat['device']}: "
        + (f"other {', '.join(repeat['differences'])}" if repeat["differences"] else "the same")
        for repeat in repeats
    )
