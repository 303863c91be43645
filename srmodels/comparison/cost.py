"""What an experiment was and cost, as far as files say.

Times stand in MLflow alone, which this room does not read; metrics/recipes keeps them of the runs
that somebody collected. They are an experiment's own where recipe, preset and scores are the same.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from srmodels.comparison.experiment import GENERATOR, Experiment
from srmodels.evaluation.table import sets_of

__all__ = ["Facts", "facts_of"]

_SET = "test"  # whose scores metrics/recipes holds
_SCORE = "psnr_y"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Attributes are as printed: "-" where no file says it; phases are joined by " + "."""

    parameters: str
    minutes: str
    images_per_second: str


def facts_of(entry: Experiment, *, root: Path) -> Facts:
    """Looks in the metrics file, and in the project's metrics/recipes."""
    count = entry.metrics.get("parameters")
    path = root / "metrics" / "recipes" / f"{entry.recipe}.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    scored = found.get("scores", {}).get(GENERATOR, {}).get(_SCORE)
    own = sets_of(entry.metrics).get(_SET, {}).get(GENERATOR, {}).get(_SCORE)
    same = own is not None and (scored, found.get("preset")) == (own, entry.preset)
    phases = [spent for spent in found.get("training", {}).values() if spent] if same else []
    return Facts(
        parameters=f"{count:,}" if isinstance(count, int) else "-",
        minutes=" + ".join(f"{each['minutes']:.1f}" for each in phases) or "-",
        images_per_second=" + ".join(f"{each['images_per_second']:.0f}" for each in phases) or "-",
    )
