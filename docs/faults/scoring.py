"""Generators scored as the pipeline scores them, for the faults that train."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from torch import nn

from docs.faults.ground import SCALE, Ground
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.means import means
from srmodels.evaluation.samples import Draw
from srmodels.evaluation.scores import evaluate
from srmodels.inference.upscale import upscaler

__all__ = ["enlargers", "scored"]

Enlarge = Callable[[Picture], Picture]


def enlargers(generators: Mapping[str, nn.Module]) -> dict[str, Enlarge]:
    """What enlarges a picture, by way: uint8 (h, w, 3) to uint8 (scale h, scale w, 3)."""
    return {way: partial(upscaler(SCALE), each) for way, each in generators.items()}


def scored(
    generators: Mapping[str, nn.Module],
    ground: Ground,
    scores: Sequence[str],
    *,
    draw: Draw | None = None,
) -> dict[str, dict[str, float]]:
    """The named scores of bicubic and of every generator, means over the test photographs."""
    images = list(ground.pictures.items())
    table = evaluate(enlargers(generators), images, scale=SCALE, draw=draw)
    return {
        way: {name: values[name] for name in scores if name in values}
        for way, values in means(table).items()
    }
