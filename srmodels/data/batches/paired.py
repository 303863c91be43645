"""Paired batches: the batch of a step depends on (seed, step) alone, so no state is saved."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srmodels.data.batches.augment import crop_and_augment
from srmodels.data.batches.batch import Batch
from srmodels.data.store.files import RERUN_HINT
from srmodels.data.store.reader import PatchStore
from srmodels.errors import DataError

_MAX_THREADS = 8
_MIN_THREADED_SIZE = 2**20  # values; smaller batches are faster in one thread


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="batch")


def _to_channels_last(images: NDArray[np.float32]) -> Tensor:
    """(N, H, W, 3) as (N, 3, H, W) in channels_last memory format, without a copy."""
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def _jitter(lr: NDArray[np.float32], hr: NDArray[np.float32], noise: NDArray[np.float64]) -> None:
    """Varies contrast and brightness in place; `noise` is (2, N, 3), from N(0, jitter)."""
    contrast = np.exp(noise[0])[:, None, None].astype(np.float32)
    offset = (0.5 - 0.5 * contrast + noise[1][:, None, None] / 2).astype(np.float32)
    for images in (lr, hr):
        np.multiply(images, contrast, out=images)
        np.add(images, offset, out=images)


@dataclass(kw_only=True, eq=False)
class PatchSampler:
    """Random crops of uniformly drawn patches, in one of the eight symmetries of a square."""

    store: PatchStore = field(kw_only=False)  # the patches
    patch_size: int  # side of a crop in LR pixels, at most the stored one
    batch_size: int  # pairs in a batch
    seed: int  # seed of all batches
    scale: int  # HR over LR; must be the store's
    # permutes the colours of each pair (RGB permutation of Yoo et al. 2020, arXiv:2004.00448,
    # section 3)
    permute_colours: bool = False
    # Contrast about 0.5 is multiplied by exp(N(0, jitter)), brightness shifted by N(0, jitter / 2),
    # for each pair and colour, alike in LR and HR since bicubic commutes with both. Values may
    # leave [0, 1]. 0 for none.
    colour_jitter: float = 0.0
    # the pairs of a batch to return; other processes return the others
    part: slice = field(default_factory=lambda: slice(None))

    def __post_init__(self) -> None:
        self._rows = np.arange(len(self.store))
        if self.patch_size > self.store.patch_size:
            raise DataError(
                f"{self.store.folder}: patches are too small for training.patch_size "
                f"{self.patch_size} (got {self.store.patch_size} LR pixels). Lower it, or raise "
                "patches.patch_size."
            )
        if self.scale != self.store.scale:
            raise DataError(
                f"{self.store.folder}: patches are not of scale {self.scale} (got "
                f"{self.store.scale}). {RERUN_HINT}"
            )

    def batch(self, step: int) -> Batch:
        """The batch of a step, 0 or more."""
        return self._sample(step, self._rows, self.seed)

    def _sample(self, step: int, candidates: NDArray[np.int64], seed: int) -> Batch:
        rng = np.random.default_rng([seed, step])
        count, size, scale = self.batch_size, self.patch_size, self.store.scale
        rows = candidates[rng.integers(0, len(candidates), count)].tolist()
        corners = rng.integers(0, self.store.patch_size - size + 1, (count, 2)).tolist()
        symmetries = rng.integers(0, 8, count).tolist()
        orders = [[0, 1, 2]] * count
        if self.permute_colours:
            orders = rng.permuted(orders, axis=1).tolist()
        jitter = rng.normal(0, 1, (2, count, 3)) if self.colour_jitter else None
        photos = tuple(self.store.photos[row] for row in rows)
        rows, corners = rows[self.part], corners[self.part]
        symmetries, orders = symmetries[self.part], orders[self.part]
        count = len(rows)
        # torch reuses the memory of the last batch, which is still in the cache; HR's first
        hr, lr = (torch.empty(count, side, side, 3).numpy() for side in (size * scale, size))

        def fill(indices: range) -> None:
            for k in indices:
                top, left = corners[k]
                for out, patch, factor in zip(
                    (hr, lr), self.store.pair(rows[k]), (scale, 1), strict=True
                ):
                    corner = top * factor, left * factor
                    crop_and_augment(patch, corner, symmetries[k], orders[k], out=out[k])

        threads = min(torch.get_num_threads(), _MAX_THREADS) if hr.size > _MIN_THREADED_SIZE else 1
        shares = [range(first, count, threads) for first in range(threads)]
        list((_threads().map if threads > 1 else map)(fill, shares))
        if jitter is not None:
            _jitter(lr, hr, jitter[:, self.part] * self.colour_jitter)
        return Batch(lr=_to_channels_last(lr), hr=_to_channels_last(hr), photos=photos)
