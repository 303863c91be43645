"""Metrics files, and the short table of one; imports nothing heavy."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from srmodels.errors import ProtocolError

_COLUMNS = {  # score: heading, digits
    "psnr_y": ("PSNR-Y (dB)", 2),
    "ssim_y": ("SSIM-Y", 4),
    "lpips": ("LPIPS", 3),
    "dists": ("DISTS", 3),
    "niqe": ("NIQE", 2),
    "sharpness": ("sharpness", 2),
    "colour_shift": ("colour shift", 2),
    "diversity": ("diversity", 2),
}
_OPTIONAL = ("lpips", "dists", "niqe", "diversity")  # columns only where a row has them
_WITH_INTERVAL = ("psnr_y", "ssim_y")  # more would not fit a line


def read_metrics(path: Path) -> dict[str, Any]:
    """Reads a metrics file of the evaluate stage; a ProtocolError where there is none."""
    try:
        return metrics_in(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise ProtocolError(
            f"{path}: no such file. Run `dvc repro` or `srmodels evaluate`."
        ) from None


def metrics_in(text: bytes, where: str) -> dict[str, Any]:
    """Parses a metrics file's text; a ProtocolError, which begins with `where`, for another."""
    try:
        metrics = json.loads(text)
    except ValueError as error:
        raise ProtocolError(f"{where}: is no JSON (got {error}). Use a metrics file.") from None
    if not isinstance(metrics, dict) or not sets_of(metrics):
        raise ProtocolError(f"{where}: holds no scores. Use metrics/evaluate.json.")
    return metrics


def sets_of(metrics: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """The test sets: all entries with a row of bicubic."""
    return {
        name: models
        for name, models in metrics.items()
        if isinstance(models, dict) and isinstance(models.get("bicubic"), dict)
    }


def align_columns(lines: Sequence[Sequence[str]], left: Collection[int]) -> str:
    """A text table: the columns `left` start with their words, the others end with them."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            word.ljust(width) if column in left else word.rjust(width)
            for column, (word, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cell(values: Mapping[str, float], score: str, digits: int) -> str:
    if score not in values:
        return "-"
    text = f"{values[score]:.{digits}f}"
    if score not in _WITH_INTERVAL or f"{score}_low" not in values:
        return text
    low, high = (values[score + end] for end in ("_low", "_high"))
    return f"{text} [{low:.{digits}f}, {high:.{digits}f}]"


def short_table(metrics: Mapping[str, Any], *, markdown: bool = False) -> str:
    """A line per test set and model of a metrics file, with intervals; aligned, or Markdown."""
    rows = [values for models in sets_of(metrics).values() for values in models.values()]
    present = {score for values in rows for score in values}
    columns = {
        score: column
        for score, column in _COLUMNS.items()
        if score in present or score not in _OPTIONAL
    }
    headings = [
        heading + (" [95 %]" if score in _WITH_INTERVAL and f"{score}_low" in present else "")
        for score, (heading, _) in columns.items()
    ]
    lines = [["set", "model", *headings]]
    for name, models in sets_of(metrics).items():
        for model, values in models.items():
            numbers = [_cell(values, score, digits) for score, (_, digits) in columns.items()]
            lines.append([name, model, *numbers])
    if markdown:
        lines.insert(1, ["---", "---", *["---:"] * len(columns)])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return align_columns(lines, left={0, 1})
