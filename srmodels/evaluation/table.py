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
_OF_SAMPLES = {"diversity": ("diversity", 2)}


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
    """One line per test set and model: PSNR-Y, SSIM-Y, sharpness, colour shift.

    A column for the diversity follows where one of them consists of samples.

    Args:
        metrics: As the evaluate stage writes them: set, model, score.
        markdown: A table for a README instead of aligned columns.
    """
    rows = [values for models in _sets(metrics).values() for values in models.values()]
    sampled = any(score in values for values in rows for score in _OF_SAMPLES)
    columns = _COLUMNS | _OF_SAMPLES if sampled else _COLUMNS
    lines = [["set", "model", *(heading for heading, _ in columns.values())]]
    for name, models in _sets(metrics).items():
        for model, values in models.items():
            numbers = [
                f"{values[score]:.{digits}f}" if score in values else "-"
                for score, (_, digits) in columns.items()
            ]
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
