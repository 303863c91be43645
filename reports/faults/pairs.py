"""Pairs of LR and HR that are not aligned."""

from collections.abc import Callable
from statistics import mean

import numpy as np
import torch
from torch import Tensor, nn

from reports.faults.case import SCALE, Measured, Numbers, StudyData, detail_sheet
from reports.faults.training import batches, score_networks, small_generator, train, upscalers
from srmodels.data.batches.batch import Batch
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.metrics.psnr import psnr_y
from srmodels.objectives import pixel
from srmodels.objectives.pixel import Settings as PixelSettings
from srmodels.resize.images import downscale

_STEPS = 300
_SIDE = 24
_SHOWN = "coffee"


def _channels_last(pictures: Tensor) -> Tensor:
    return pictures.contiguous(memory_format=torch.channels_last)


def _shifted(batch: Batch, step: int, *, reach: int) -> Batch:
    """HR cut at any x, LR at x // scale: HR is shifted by up to `reach` pixels (3 is the fault)."""
    side = batch.lr.shape[-1] - 1
    shifts = np.random.default_rng([1, step]).integers(0, reach + 1, (len(batch.lr), 2)).tolist()
    end = side * SCALE
    hr = [
        crop[:, top : top + end, left : left + end]
        for crop, (top, left) in zip(batch.hr, shifts, strict=True)
    ]
    lr = batch.lr[..., :side, :side]
    return Batch(lr=_channels_last(lr), hr=_channels_last(torch.stack(hr)), photos=batch.photos)


def _decimated(batch: Batch, step: int) -> Batch:
    """LR is every fourth HR pixel: aliased, and shifted by 1.5 HR pixels up and left."""
    aligned = _shifted(batch, step, reach=0)
    lr = _channels_last(aligned.hr[..., ::SCALE, ::SCALE])
    return Batch(lr=lr, hr=aligned.hr, photos=aligned.photos)


VARIANTS: dict[str, Callable[[Batch, int], Batch]] = {
    "ours": lambda batch, step: _shifted(batch, step, reach=0),
    "moved": lambda batch, step: _shifted(batch, step, reach=SCALE - 1),
    "decimated": _decimated,
}


def _best_answer(hr: Picture) -> Picture:
    """The SR with the least squared error over pairs shifted by 0 to 3 pixels: their mean."""
    height, width = hr.shape[:2]
    wide = np.pad(hr, ((0, SCALE), (0, SCALE), (0, 0)), mode="symmetric").astype(np.float64)
    moved = [
        wide[top : top + height, left : left + width]
        for top in range(SCALE)
        for left in range(SCALE)
    ]
    answer: Picture = np.floor(np.mean(moved, axis=0) + 0.5).astype(np.uint8)
    return answer


def measure(data: StudyData) -> Measured:
    """Trainings on aligned, shifted and decimated pairs."""
    sampler = batches(data, patch_size=_SIDE + 1)

    def trained(change: Callable[[Batch, int], Batch]) -> nn.Module:
        return train(
            small_generator(),
            lambda network: pixel.turns({"generator": network}, PixelSettings(kind="mse")),
            lambda step: change(sampler.batch(step), step),
            steps=_STEPS,
        ).network

    networks = {name: trained(change) for name, change in VARIANTS.items()}
    ceiling = mean(psnr_y(_best_answer(hr), hr, border=SCALE) for hr in data.pictures.values())
    numbers = score_networks(networks, data, ("psnr_y", "lr_consistency", "sharpness"))
    hr = data.pictures[_SHOWN]
    sr = {name: upscale(downscale(hr, SCALE)) for name, upscale in upscalers(networks).items()}
    shown = {
        "HR": hr,
        "aligned": sr["ours"],
        "LR at x // 4": sr["moved"],
        "every fourth pixel": sr["decimated"],
    }
    extra: Numbers = {"ceiling": {"psnr_y": round(ceiling, 6)}, "training": {"steps": _STEPS}}
    return Measured({**numbers, **extra}, detail_sheet(shown))
