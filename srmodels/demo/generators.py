"""Which generators the page offers: the files that were named, or those of the repository."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from srmodels.demo.jobs import InspectWeights
from srmodels.demo.types import Choice
from srmodels.demo.worker import Worker
from srmodels.errors import WeightsError
from srmodels.inference.weights.registry import weights_file

__all__ = ["choices"]

log = logging.getLogger(__name__)

_PLACES = ("weights/*.safetensors", "weights/recipes/*.safetensors")


def _labelled(found: Sequence[Choice]) -> tuple[Choice, ...]:
    """The same, each with a label of its own."""
    made: dict[str, Choice] = {}
    for choice in found:
        label, number = choice.label, 2
        while label in made:
            label, number = f"{choice.label} ({number})", number + 1
        made[label] = replace(choice, label=label)
    return tuple(made.values())


def choices(weights: Sequence[str], *, root: Path, worker: Worker) -> tuple[Choice, ...]:
    """Finds the generators.

    Args:
        weights: Files, other people's too, or models:/NAME@ALIAS; empty: those below `root`, where
            one that cannot be used is left out with a warning.
        root: Of the repository.
        worker: Opens them.

    Raises:
        WeightsError: A file that was named cannot be used, or there is none.
    """
    found = [weights_file(each) for each in weights] or [
        path for pattern in _PLACES for path in sorted(root.glob(pattern))
    ]
    known = list[Choice]()
    for path, choice in worker.run(InspectWeights(paths=tuple(found)), stop=threading.Event()):
        if isinstance(choice, Choice):
            known.append(choice)
        elif weights:
            raise WeightsError(choice)
        else:
            log.warning("%s is left out: %s", path.name, choice)
    if not known:
        raise WeightsError(
            f"{root / 'weights'}: has no generator; `dvc repro` writes one, or name files with "
            "--weights"
        )
    return _labelled(known)
