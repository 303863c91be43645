"""The short table people read, from a metrics file; nothing heavy is imported for it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from srmodels.errors import ProtocolError

__all__ = ["read_metrics", "short_table"]

_COLUMNS = {  # score: heading, digits
    "psnr_y": ("PSNR-Y (dB)", 2),
    "ssim_y": ("SSIM-Y", 4),
    "sharpness": ("sharpness", 2),
    "colour_shift": ("colour shift", 2),
}


def read_metrics(path: Path) -> dict[str, Any]:
    """Reads a file as the evaluate stage writes it.

    Raises:
        ProtocolError: It is missing, or no such file.
    """
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProtocolError(
            f"{path}: no such file; `dvc repro` or `srmodels evaluate` writes one"
        ) from None
    except ValueError as error:
        raise ProtocolError(f"{path}: is no JSON ({error}); a metrics file was expected") from None
    if not isinstance(metrics, dict) or not _sets(metrics):
        raise ProtocolError(f"{path}: holds no scores; metrics/evaluate.json was expected")
    return metrics


def _sets(metrics: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """The test sets: all entries with a baseline's row."""
    return {
        name: models
        for name, models in metrics.items()
        if isinstance(models, dict) and isinstance(models.get("bicubic"), dict)
    }


def short_table(metrics: Mapping[str, Any], *, markdown: bool = False) -> str:
    """One line per test set and model: PSNR-Y, SSIM-Y, sharpness and colour shift.

    Args:
        metrics: As the evaluate stage writes them: set, model, score.
        markdown: A table for a README instead of aligned columns.
    """
    lines = [["set", "model", *(heading for heading, _ in _COLUMNS.values())]]
    for name, models in _sets(metrics).items():
        for model, values in models.items():
            numbers = [
                f"{values[score]:.{digits}f}" if score in values else "-"
                for score, (_, digits) in _COLUMNS.items()
            ]
            lines.append([name, model, *numbers])
    if markdown:
        lines.insert(1, ["---", "---", *["---:"] * len(_COLUMNS)])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = []
    for line in lines:
        words = [word.ljust(width) for word, width in zip(line[:2], widths[:2], strict=True)]
        numbers = [word.rjust(width) for word, width in zip(line[2:], widths[2:], strict=True)]
        rows.append("  ".join(words + numbers))
    return "\n".join(rows)
