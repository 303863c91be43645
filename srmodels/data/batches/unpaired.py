"""Batches whose LR and HR come from different photographs, for unpaired training."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.data.store.reader import PatchStore
from srmodels.errors import DataError

_HR_SEED = 2**31  # above the seeds of params.yaml


def disjoint_halves(store: PatchStore) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two halves of a store's rows that share no photograph, by the photographs' names alone."""
    photos, rows = np.unique(np.array(store.photos), return_inverse=True)
    if len(photos) < 2:
        raise DataError(
            f"{store.folder}: unpaired training needs two photographs or more (got "
            f"{len(photos)}). Add photographs."
        )
    counts = np.bincount(rows)
    digests = [hashlib.sha256(str(p).encode("utf-8", "surrogateescape")).digest() for p in photos]
    sizes, half_of = [0, 0], np.zeros(len(photos), np.int64)
    for photo in sorted(range(len(photos)), key=digests.__getitem__):
        half_of[photo] = sizes[1] < sizes[0]
        sizes[half_of[photo]] += counts[photo]
    first, second = (np.flatnonzero(half_of[rows] == half) for half in (0, 1))
    return first, second


@dataclass(kw_only=True, eq=False)
class UnpairedSampler(PatchSampler):
    """LR crops from one half of the photographs, HR crops from the other."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._lr_rows, self._hr_rows = disjoint_halves(self.store)

    def batch(self, step: int) -> Batch:
        """The batch of a step; `photos` has those of LR, then those of HR."""
        lr = self._sample(step, self._lr_rows, self.seed)
        hr = self._sample(step, self._hr_rows, self.seed + _HR_SEED)
        return Batch(lr=lr.lr, hr=hr.hr, photos=lr.photos + hr.photos)
