"""Batches: the batch of a step is a function of (seed, step) alone, so nothing has to be saved."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srmodels.data.batches.augment import crop_and_augment
from srmodels.data.batches.batch import Batch
from srmodels.data.store.reader import PatchStore
from srmodels.errors import DataError

__all__ = ["PatchSampler", "PatchStore"]


_MOST_THREADS = 8

_WORTH_THREADS = 2**20  # values; below, handing the work to threads costs more than it saves


@cache
def _threads() -> ThreadPoolExecutor:
    # painting releases Python's lock
    return ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="batch")


def _channels_first(pictures: NDArray[np.float32]) -> Tensor:
    # (N, H, W, 3) seen as (N, 3, H, W): what convolutions in channels_last want, without a copy
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def _jitter(lr: NDArray[np.float32], hr: NDArray[np.float32], drawn: NDArray[np.float64]) -> None:
    """Varies contrast and brightness in place, by numbers from N(0, jitter), (2, N, 3)."""
    stretched = np.exp(drawn[0])[:, None, None].astype(np.float32)
    shifted = (0.5 - 0.5 * stretched + drawn[1][:, None, None] / 2).astype(np.float32)
    for pictures in (lr, hr):
        np.multiply(pictures, stretched, out=pictures)
        np.add(pictures, shifted, out=pictures)


class PatchSampler:
    """Random crops of the stored patches, flipped and turned.

    Every stored patch is as likely as any other, so a photograph weighs as much as its patches.

    Args:
        store: The patches.
        patch_size: Side of a crop in LR pixels, at most the stored one.
        batch_size: Pairs in a batch.
        seed: Decides all batches, together with the step.
        scale: HR over LR; must be the store's.
        permute_colours: Exchanges the three colours of each pair at random (RGB permutation, one of
            the augmentations of Yoo et al. 2020, arXiv:2004.00448, section 3).
        colour_jitter: How much each colour's contrast and brightness vary from pair to pair, alike
            in LR and HR: about 0.5 they are stretched by exp(N(0, jitter)) and shifted by N(0,
            jitter / 2), and may then leave [0, 1]. Bicubic commutes with that, so these are further
            pictures; 0 is none.
        rows: Draws from these rows of the store only; None draws from all.
        part: Which pairs of a batch are made, where other processes make the others.

    Raises:
        DataError: The store does not fit.
    """

    def __init__(
        self,
        store: PatchStore,
        *,
        patch_size: int,
        batch_size: int,
        seed: int,
        scale: int,
        permute_colours: bool = False,
        colour_jitter: float = 0.0,
        rows: NDArray[np.int64] | None = None,
        part: slice = slice(None),
    ) -> None:
        if patch_size > store.patch_size:
            raise DataError(
                f"{store.folder}: holds patches of {store.patch_size} LR pixels, training wants "
                f"{patch_size}; lower training.patch_size or raise patches.patch_size"
            )
        if scale != store.scale:
            raise DataError(
                f"{store.folder}: holds pairs of scale {store.scale}, training wants {scale}; "
                "run the stage `patches` again"
            )
        self._store = store
        self._rows = np.arange(len(store)) if rows is None else rows
        self._patch_size = patch_size
        self._batch_size = batch_size
        self._seed = seed
        self._permute_colours = permute_colours
        self._colour_jitter = colour_jitter
        self._part = part

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on; the same on every call and after every restart."""
        rng = np.random.default_rng([self._seed, step])
        count, size, scale = self._batch_size, self._patch_size, self._store.scale
        rows = self._rows[rng.integers(0, len(self._rows), count)].tolist()
        corners = rng.integers(0, self._store.patch_size - size + 1, (count, 2)).tolist()
        turns = rng.integers(0, 8, count).tolist()
        orders = [[0, 1, 2]] * count
        if self._permute_colours:
            orders = rng.permuted(orders, axis=1).tolist()
        jitter = rng.normal(0, 1, (2, count, 3)) if self._colour_jitter else None
        photos = tuple(self._store.photos[row] for row in rows)
        rows, corners = rows[self._part], corners[self._part]
        turns, orders = turns[self._part], orders[self._part]
        count = len(rows)
        # torch's memory: aligned, and what training frees is used again; the larger first, which
        # then finds the place of the last batch's, and that is still in the processor's cache
        hr, lr = (torch.empty(count, side, side, 3).numpy() for side in (size * scale, size))

        def fill(places: range) -> None:
            for place in places:
                whole_hr, whole_lr = self._store.pair(rows[place])
                for out, whole, factor in ((hr, whole_hr, scale), (lr, whole_lr, 1)):
                    top, left = corners[place]
                    corner = top * factor, left * factor
                    crop_and_augment(whole, corner, turns[place], orders[place], out=out[place])

        parts = min(torch.get_num_threads(), _MOST_THREADS) if hr.size > _WORTH_THREADS else 1
        spread = [range(first, count, parts) for first in range(parts)]
        list((_threads().map if parts > 1 else map)(fill, spread))
        if jitter is not None:
            _jitter(lr, hr, jitter[:, self._part] * self._colour_jitter)
        return Batch(lr=_channels_first(lr), hr=_channels_first(hr), photos=photos)
