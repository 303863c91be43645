"""Batches whose LR and HR come from different photographs, for objectives that forbid pairs."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.data.store.reader import PatchStore
from srmodels.errors import DataError

__all__ = ["UnpairedSampler", "disjoint_halves"]

_OTHER_SEEDS = 2**31  # the seeds of params.yaml end below


def disjoint_halves(store: PatchStore) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of a store in two halves that share no photograph.

    Photographs are taken in the order of a digest of their names, each to the half with fewer
    patches: the same halves on every machine, and of about the same size.

    Raises:
        DataError: There is a single photograph.
    """
    photos, rows = np.unique(np.array(store.photos), return_inverse=True)
    if len(photos) < 2:
        raise DataError(
            f"{store.folder}: unpaired training needs two photographs or more (found "
            f"{len(photos)}): LR of some and HR of others"
        )
    counts = np.bincount(rows)
    digests = [hashlib.sha256(str(p).encode("utf-8", "surrogateescape")).digest() for p in photos]
    sizes, half_of = [0, 0], np.zeros(len(photos), np.int64)
    for place in sorted(range(len(photos)), key=lambda each: digests[each]):
        half_of[place] = sizes[1] < sizes[0]
        sizes[half_of[place]] += counts[place]
    first, second = (np.flatnonzero(half_of[rows] == half) for half in (0, 1))
    return first, second


class UnpairedSampler:
    """LR crops from one half of the photographs, HR crops from the other.

    Args:
        store: The patches.
        patch_size: Side of an LR crop; an HR crop has `scale` times that.
        batch_size: Crops of each kind in a batch.
        seed: Decides all batches, together with the step.
        scale: HR over LR; must be the store's.
        permute_colours: As for `PatchSampler`.
        colour_jitter: As for `PatchSampler`.
        part: As for `PatchSampler`.

    Raises:
        DataError: The store does not fit, or holds a single photograph.
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
        part: slice = slice(None),
    ) -> None:
        self._lr, self._hr = (
            PatchSampler(
                store,
                patch_size=patch_size,
                batch_size=batch_size,
                seed=seed + offset,
                scale=scale,
                permute_colours=permute_colours,
                colour_jitter=colour_jitter,
                rows=rows,
                part=part,
            )
            for rows, offset in zip(disjoint_halves(store), (0, _OTHER_SEEDS), strict=True)
        )

    def batch(self, step: int) -> Batch:
        """The batch of a step; `photos` names those of LR, then those of HR."""
        lr, hr = self._lr.batch(step), self._hr.batch(step)
        return Batch(lr=lr.lr, hr=hr.hr, photos=lr.photos + hr.photos)
