"""The short table people read, from a metrics file; nothing heavy is imported for it."""

import json
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from srmodels.errors import ProtocolError

__all__ = ["metrics_in", "read_metrics", "sets_of", "short_table"]

_COLUMNS = {  # score: heading, digits
    "psnr_y": ("PSNR-Y (dB)", 2),
    "ssim_y": ("SSIM-Y", 4),
    "sharpness": ("sharpness", 2),
    "colour_shift": ("colour shift", 2),
}
_WHERE_THERE = {"lpips": ("LPIPS", 3), "diversity": ("diversity", 2)}
_WITH_INTERVAL = ("psnr_y", "ssim_y")  # more would not fit a line


def read_metrics(path: Path) -> dict[str, Any]:
    """Reads a file as the evaluate stage writes it.

    Raises:
        ProtocolError: It is missing, or no such file.
    """
    try:
        return metrics_in(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise ProtocolError(
            f"{path}: no such file; `dvc repro` or `srmodels evaluate` writes one"
        ) from None


def metrics_in(text: bytes, where: str) -> dict[str, Any]:
    """What the text of a metrics file says.

    Raises:
        ProtocolError: It is of no such file; begins with `where`.
    """
    try:
        metrics = json.loads(text)
    except ValueError as error:
        raise ProtocolError(f"{where}: is no JSON ({error}); a metrics file was expected") from None
    if not isinstance(metrics, dict) or not sets_of(metrics):
        raise ProtocolError(f"{where}: holds no scores; metrics/evaluate.json was expected")
    return metrics


def sets_of(metrics: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """The test sets: all entries with a baseline's row."""
    return {
        name: models
        for name, models in metrics.items()
        if isinstance(models, dict) and isinstance(models.get("bicubic"), dict)
    }


def _heading(score: str, columns: Mapping[str, tuple[str, int]], found: Set[str]) -> str:
    bounded = score in _WITH_INTERVAL and f"{score}_low" in found
    return columns[score][0] + (" [95 %]" if bounded else "")


def _cell(values: Mapping[str, float], score: str, digits: int) -> str:
    if score not in values:
        return "-"
    text = f"{values[score]:.{digits}f}"
    if score not in _WITH_INTERVAL or f"{score}_low" not in values:
        return text
    low, high = (values[score + end] for end in ("_low", "_high"))
    return f"{text} [{low:.{digits}f}, {high:.{digits}f}]"


def short_table(metrics: Mapping[str, Any], *, markdown: bool = False) -> str:
    """One line per test set and model: PSNR-Y, SSIM-Y, sharpness, colour shift.

    Columns for LPIPS and for the diversity follow where one of them has it. Where there are 95 %
    intervals, those of PSNR-Y and SSIM-Y stand in brackets.

    Args:
        metrics: As the evaluate stage writes them: set, model, score.
        markdown: A table for a README instead of aligned columns.
    """
    rows = [values for models in sets_of(metrics).values() for values in models.values()]
    further = {score for values in rows for score in values}
    columns = _COLUMNS | {name: each for name, each in _WHERE_THERE.items() if name in further}
    lines = [["set", "model", *(_heading(name, columns, further) for name in columns)]]
    for name, models in sets_of(metrics).items():
        for model, values in models.items():
            numbers = [_cell(values, score, digits) for score, (_, digits) in columns.items()]
            lines.append([name, model, *numbers])
    if markdown:
        lines.insert(1, ["---", "---", *["---:"] * len(columns)])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = []
    for line in lines:
        words = [word.ljust(width) for word, width in zip(line[:2], widths[:2], strict=True)]
        numbers = [word.rjust(width) for word, width in zip(line[2:], widths[2:], strict=True)]
        aligned.append("  ".join(words + numbers))
    return "\n".join(aligned)
