"""The plain way: every patch a PNG file, cut by a pool of processes, read by a DataLoader.

As in this package, a photograph is decoded once and reduced as a whole, pairs are aligned, crops
are flipped and turned.
"""

import multiprocessing
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from srmodels.data.patches.cut import boxes

SCALE, PATCH = 4, 64


def context() -> multiprocessing.context.BaseContext:
    """Forks where possible, since that starts at once."""
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if "fork" in methods else "spawn")


def _cut(path: Path, folder: Path) -> None:
    hr = Image.open(path).convert("RGB")
    lr = hr.resize((hr.width // SCALE, hr.height // SCALE), Image.Resampling.BICUBIC)
    for number, (top, left) in enumerate(boxes(lr.height, lr.width, size=PATCH, stride=PATCH)):
        name = f"{path.stem}-{number:03d}.png"
        for side, picture, factor in (("hr", hr, SCALE), ("lr", lr, 1)):
            x, y, size = int(left) * factor, int(top) * factor, PATCH * factor
            picture.crop((x, y, x + size, y + size)).save(folder / side / name)


def cut_all(photos: Sequence[Path], folder: Path, workers: int) -> None:
    """Photographs to PNG patches in FOLDER/hr and FOLDER/lr."""
    for side in ("hr", "lr"):
        (folder / side).mkdir(parents=True)
    with context().Pool(workers) as pool:
        pool.map(partial(_cut, folder=folder), photos, chunksize=1)


class PngPatches(Dataset[tuple[Tensor, Tensor]]):
    """Random crops of the stored patches.

    Args:
        folder: Written by `cut_all`.
        patch_size: Side of a crop in LR pixels.
        length: Number of crops.
    """

    def __init__(self, folder: Path, *, patch_size: int, length: int) -> None:
        self._lr, self._hr = (sorted((folder / side).iterdir()) for side in ("lr", "hr"))
        self._size, self._length = patch_size, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """A pair of crops: LR and HR, float32 (3, side, side) in [0, 1]."""
        patch = random.randrange(len(self._lr))
        top, left = (random.randint(0, PATCH - self._size) for _ in range(2))
        turn = random.randrange(8)
        lr, hr = (
            self._read(paths[patch], top * factor, left * factor, self._size * factor, turn)
            for paths, factor in ((self._lr, 1), (self._hr, SCALE))
        )
        return lr, hr

    @staticmethod
    def _read(path: Path, top: int, left: int, size: int, turn: int) -> Tensor:
        crop = np.asarray(Image.open(path))[top : top + size, left : left + size]
        if turn & 1:
            crop = crop.swapaxes(0, 1)
        crop = crop[:: -1 if turn & 2 else 1, :: -1 if turn & 4 else 1]
        pixels = torch.from_numpy(crop.copy())
        return pixels.permute(2, 0, 1).to(torch.float32).div_(255)
