"""NIQE of pictures that have no HR."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from srmodels.errors import ProtocolError
from srmodels.evaluation.means import means
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.metrics.niqe import Niqe
from srmodels.evaluation.protocol import NIQE, versions
from srmodels.evaluation.table import align_columns


def no_reference_metrics(images: Sequence[tuple[str, Picture]]) -> dict[str, Any]:
    """NIQE by picture, (name, uint8 (H, W, 3)), its mean and interval, "protocol", "versions"."""
    if not images:
        raise ProtocolError("no picture to score. Add one to the folder.")
    niqe, scores = Niqe(), {}
    for name, picture in images:
        try:
            scores[name] = round(niqe(picture), 6)
        except ProtocolError as error:
            raise ProtocolError(f"{name}: {error}") from None
    table = pd.DataFrame({"model": "", "niqe": list(scores.values())})
    return {
        "niqe": scores,
        "mean": means(table)[""],
        "protocol": {"niqe": NIQE},
        "versions": versions(),
    }


def no_reference_table(metrics: dict[str, Any]) -> str:
    """A line per picture, and one for the mean."""
    scores = {**metrics["niqe"], "mean": metrics["mean"]["niqe"]}
    lines = [("image", " NIQE"), *((name, f"{score:.2f}") for name, score in scores.items())]
    return align_columns(lines, left={0})
