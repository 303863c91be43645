"""What a finished training leaves for DVC to compare, beside its weights: curves and metrics."""

import json
from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_curves", "write_metrics"]


def write_curves(name: str, folder: Path, source: Path | None) -> None:
    """Copies the curves of a training from `source`; headers only where nothing was trained."""
    folder.mkdir(exist_ok=True)
    for curve, target in (("losses", name), ("validation", f"{name}_validation")):
        path = source / f"{curve}.csv" if source else None
        text = path.read_text(encoding="utf-8") if path else "step\n"
        (folder / f"{target}.csv").write_text(text, encoding="utf-8")


def write_metrics(name: str, values: Mapping[str, object]) -> None:
    """Writes metrics/<name>.json, the values nested under the name so that names stay unique."""
    path = Path("metrics") / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({name: values}, indent=2) + "\n", encoding="utf-8")
