"""The generated parts of docs/RESULTS.md: the table, repetitions, commands and pictures."""

import shlex
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from reports import markdown
from reports.markdown import number, training_cells
from reports.recipes import STAGES, agree
from srmodels.errors import ProtocolError
from srmodels.evaluation.plane import AXES, draw_published

Result = Mapping[str, Any]  # the content of metrics/results/ROW.json
SETS = ("Set5", "BSD100", "test")
HEADINGS = (
    *("row", "recipe", *(f"{name}: PSNR-Y, SSIM-Y, LPIPS" for name in SETS), "sharpness"),
    *("colour shift", "diversity", "parameters", "minutes", "images/s"),
)
SHORT = ("row", "GAN", "Set5: PSNR-Y", "BSD100: PSNR-Y", "LPIPS", "minutes", "parameters")
SHORT_ROWS = 8
_GAP = 1.0  # dB between curves that have a panel each
DEGRADED_SET = "BSD100_degraded"
DEGRADED_SCORES = {"psnr_y": 2, "lpips": 3, "niqe": 2}  # and their digits


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
        *(
            f"{number(pair, 'psnr_y', 2)}, {number(pair, 'ssim_y', 4)}, {number(pair, 'lpips', 3)}"
            for pair in pairs
        ),
        *(number(scores, "sharpness", 2), number(scores, "colour_shift", 2)),
        number(sets["BSD100"].get("samples", {}) if stages else {}, "diversity", 2),
        f"{result['parameters']:,}" if stages else "-",
        *(cell or "-" for cell in cells),
    ]


def _newest(results: Sequence[Result]) -> Result:
    """The result whose bicubic has the most scores."""
    return max(results, key=lambda result: len(result["further"]["BSD100"]["bicubic"]))


def results_table(results: Sequence[Result]) -> str:
    """The table in Markdown: bicubic, then a line per row, or two if a GAN phase follows."""
    if not results:
        raise ProtocolError("metrics/results: no result. Run `python -m reports.results run ROW`.")
    lines = [_line("bicubic", _newest(results), "bicubic")]
    for result in results:
        if not agree(result["further"]["Set5"], results[0]["further"]["Set5"]):
            raise ProtocolError(
                f"metrics/results: {result['row']}.json is of other pictures than "
                f"{results[0]['row']}.json (bicubic differs on Set5). Run both again."
            )
        if "gan" in result["training"]:
            lines.append(_line(f"{result['row']}, pretrained", result, "pretrained"))
        lines.append(_line(result["row"], result, "generator"))
    return f"{markdown.table(HEADINGS, lines)}\n\n{_machines(results)}"


def _machines(results: Sequence[Result]) -> str:
    return markdown.machines({result["row"]: result["device"] for result in results})


def degraded_table(results: Sequence[Result]) -> str:
    """The rows that were scored on degraded LR of BSD100, in Markdown; empty without one."""
    scored = [result for result in results if DEGRADED_SET in result["further"]]
    if not scored:
        return ""
    found = [("bicubic", scored[0]["further"][DEGRADED_SET]["bicubic"])]
    for result in scored:
        scores = result["further"][DEGRADED_SET]
        if "gan" in result["training"]:
            found.append((f"{result['row']}, pretrained", scores["pretrained"]))
        found.append((result["row"], scores["generator"]))
    lines = [
        [name, *(number(scores, score, digits) for score, digits in DEGRADED_SCORES.items())]
        for name, scores in found
    ]
    return markdown.table(("row", "PSNR-Y", "LPIPS", "NIQE"), lines)


def _minutes(result: Result) -> float:
    return sum(float((times or {}).get("minutes", 0)) for times in result["training"].values())


def short_results(results: Sequence[Result]) -> list[Result]:
    """The rows of the README's table, fastest first within each kind, bicubic not counted.

    Without a GAN phase: those that no faster row equals in PSNR-Y on BSD100. Then those with a GAN
    phase by LPIPS, lowest first and unknown last, as many as there is room for.
    """
    scores = {result["row"]: result["further"]["BSD100"]["generator"] for result in results}
    best: list[Result] = []
    for result in sorted((r for r in results if "gan" not in r["training"]), key=_minutes):
        if not best or scores[result["row"]]["psnr_y"] > scores[best[-1]["row"]]["psnr_y"]:
            best.append(result)
    gans = [result for result in results if "gan" in result["training"]]
    gans.sort(key=lambda result: scores[result["row"]].get("lpips", float("inf")))
    return [*best, *gans][: SHORT_ROWS - 1]


def short_results_table(results: Sequence[Result]) -> str:
    """The README's table in Markdown: bicubic and `short_results`."""
    lines = []
    for result in [None, *short_results(results)]:
        sets, model = (result or _newest(results))["further"], "generator" if result else "bicubic"
        cells = [
            *(number(sets[name][model], "psnr_y", 2) for name in ("Set5", "BSD100")),
            number(sets["BSD100"][model], "lpips", 3),
        ]
        if result is None:
            lines.append(["bicubic", "-", *cells, "-", "-"])
            continue
        gan = "yes" if "gan" in result["training"] else "no"
        minutes = training_cells(result["training"], list(result["training"]))[0]
        lines.append([result["row"], gan, *cells, minutes, f"{result['parameters']:,}"])
    return f"{markdown.table(SHORT, lines)}\n\n{_machines(short_results(results))}"


def commands(results: Sequence[Result]) -> str:
    """The command of each row, with its seed, commit and device."""
    return "\n\n".join(
        f"**{result['row']}**: seed {result['seed']}, commit {result['commit']}, "
        f"{result['device']}\n\n```sh\n{command_of(result['row'], result['settings'])}\n```"
        for result in results
    )


def command_of(row: str, settings: Sequence[str]) -> str:
    """The shell command that repeats a row; the shell expands the variables."""
    words = [f'"{setting}"' if "$" in setting else shlex.quote(setting) for setting in settings]
    return " ".join([f"dvc exp run --name {row}", *(f"-S {word}" for word in words)])


def repeats_list(repeats: Sequence[Result], results: Sequence[Result]) -> str:
    """The outcomes of the repetitions, a line each, of rows that are still those of `results`."""
    commits = {result["row"]: result["commit"] for result in results}
    return "\n".join(
        f"- **{repeat['row']}**, commit {repeat['commit']}, {repeat['device']}: "
        + (f"other {', '.join(repeat['differences'])}" if repeat["differences"] else "the same")
        for repeat in repeats
        if repeat["repeated"] == commits.get(repeat["row"])
    )


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=100, metadata={"Software": None})  # the same bytes on every run


def _curve(result: Result, stage: str, begin: float = 0.0) -> list[tuple[float, float]]:
    """Minutes and PSNR-Y of a stage's validations; the stage begins at `begin`."""
    points = result["curves"].get(stage) or []
    minutes = float((result["training"].get(stage) or {}).get("minutes", 0))
    return [(begin + step / points[-1][0] * minutes, psnr) for step, psnr in points if minutes]


def split_at_gaps(results: Sequence[Result]) -> list[list[Result]]:
    """Rows by the last PSNR-Y of their pretraining, apart where a gap would squeeze the others."""
    groups: list[list[Result]] = []
    for result in sorted(results, key=lambda each: -each["curves"]["pretrain"][-1][1]):
        if groups:
            gap = groups[-1][-1]["curves"]["pretrain"][-1][1] - result["curves"]["pretrain"][-1][1]
        if not groups or gap > _GAP:
            groups.append([])
        groups[-1].append(result)
    return groups


def draw_curves(results: Sequence[Result], path: Path) -> None:
    """PSNR-Y of the validation images over the minutes of training; the GAN phase is dashed."""
    groups = split_at_gaps([result for result in results if _curve(result, "pretrain")])
    if not groups:
        return
    figure = Figure(figsize=(9, 5), layout="constrained")
    panels = figure.subplots(
        *(len(groups), 1), sharex=True, squeeze=False, height_ratios=[2 + len(g) for g in groups]
    )[:, 0]
    colours = cycle(map(mpl.colormaps["tab20"], (*range(0, 20, 2), *range(1, 20, 2))))
    for axes, group in zip(panels, groups, strict=True):
        for result in group:
            first, colour = _curve(result, "pretrain"), next(colours)
            axes.plot(*zip(*first, strict=True), marker=".", color=colour, label=result["row"])
            second = [first[-1], *_curve(result, "gan", begin=first[-1][0])]
            axes.plot(*zip(*second, strict=True), "--", marker=".", color=colour)
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    panels[-1].set(xscale="log", xlabel="minutes of training")
    figure.supylabel("validation, PSNR-Y (dB)", fontsize="medium")
    panels[-1].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panels[-1].xaxis.set_major_formatter("{x:g}")
    panels[-1].xaxis.set_minor_formatter(NullFormatter())  # matplotlib labels minor ticks, too
    _save(figure, path)


def draw_scatter(results: Sequence[Result], path: Path) -> None:
    """BSD100: LPIPS against PSNR-Y of the rows that have both, with arrows for GANs."""
    sets = {
        result["row"]: result["further"]["BSD100"]
        for result in results
        if "lpips" in result["further"]["BSD100"]["generator"]
    }
    if not sets:
        return
    figure = Figure(figsize=(9, 5))
    axes = figure.subplots()
    points = {"bicubic": next(iter(sets.values()))["bicubic"]}
    points |= {row: scores["generator"] for row, scores in sets.items()}
    colours, markers = mpl.colormaps["tab20"], "osD^vP"
    for place, (name, scores) in enumerate(points.items()):
        colour, marker = colours(place % 20), markers[place % len(markers)]
        axes.scatter(
            scores["psnr_y"], scores["lpips"], s=45, label=name, color=colour, marker=marker
        )
    for scores in sets.values():
        if "pretrained" in scores:
            end, start = (
                (scores[model]["psnr_y"], scores[model]["lpips"])
                for model in ("generator", "pretrained")
            )
            axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "alpha": 0.4})
            axes.scatter(*start, s=20, facecolors="none", edgecolors="tab:gray")
    draw_published(axes, "BSD100")
    axes.set(title="BSD100", **AXES)
    axes.margins(0.12)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    figure.tight_layout()
    _save(figure, path)
