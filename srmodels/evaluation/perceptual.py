"""LPIPS and DISTS of every SR of a picture at once, so that HR's features are computed once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from srmodels.errors import WeightsError
from srmodels.evaluation.metrics.dists import Dists
from srmodels.evaluation.metrics.lpips import Lpips
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.metrics.niqe import Niqe
from srmodels.machine import keep_freed_memory
from srmodels.resize.tensors import to_tensor

PERCEPTUAL = ("lpips", "lpips_vgg", "dists")  # LPIPS on AlexNet and on VGG16, DISTS
PerceptualScores = Callable[[Sequence[Picture], Picture], list[dict[str, float]]]
"""SR pictures and their HR, uint8 (H, W, 3) each, to each SR's PERCEPTUAL and, if wished, niqe."""

_PIXELS = 2**24  # compared at once


def open_lpips(*, device: str | torch.device = "cpu") -> Callable[[Picture, Picture], float]:
    """LPIPS with AlexNet of SR and HR, uint8 (H, W, 3) each, for a validation."""
    metric = Lpips("alexnet", device=device)
    return lambda sr, hr: metric(torch.cat([to_tensor(hr), to_tensor(sr)]).to(device))[0]


@contextmanager
def _or_without(scores: str, setting: str, option: str) -> Iterator[None]:
    """Adds to a WeightsError how to leave these scores out."""
    try:
        yield
    except WeightsError as error:
        raise WeightsError(
            f"{error} (or leave {scores} out by evaluate.{setting}: false, or srmodels evaluate "
            f"{option})"
        ) from None


def open_perceptual(
    *, device: str | torch.device = "cpu", only_lpips: bool = False, niqe: bool = False
) -> PerceptualScores:
    """Loads the networks, with `only_lpips` AlexNet alone, and with `niqe` NIQE's parameters.

    A WeightsError if weights are missing or damaged.
    """
    with _or_without("LPIPS and DISTS", "perceptual", "with --no-perceptual"):
        metrics: list[Lpips | Dists] = [Lpips("alexnet", device=device)]
        if not only_lpips:
            metrics += [Lpips("vgg16", device=device), Dists(device=device)]
    with _or_without("NIQE", "niqe", "without --niqe"):
        quality = Niqe() if niqe else None

    names = PERCEPTUAL[: len(metrics)]
    if torch.device(device).type == "cpu":
        keep_freed_memory()

    def score(sr: Sequence[Picture], hr: Picture) -> list[dict[str, float]]:
        scores: list[dict[str, float]] = []
        at_once = max(1, _PIXELS // (hr.shape[0] * hr.shape[1]) - 1)
        for first in range(0, len(sr), at_once):
            pictures = [hr, *sr[first : first + at_once]]
            images = torch.cat([to_tensor(picture) for picture in pictures]).to(device)
            columns = zip(*(metric(images) for metric in metrics), strict=True)
            scores += [dict(zip(names, column, strict=True)) for column in columns]
        if quality:
            scores = [
                {**row, "niqe": quality(picture)} for row, picture in zip(scores, sr, strict=True)
            ]
        return scores

    return score
