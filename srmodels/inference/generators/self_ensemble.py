"""Geometric self-ensemble: the mean of SR over eight flips and rotations of LR.

Timofte, Rothe, Van Gool, "Seven ways to improve example-based single image super resolution", CVPR
2016; Lim et al., "EDSR", CVPR workshops 2017, section 3.4, marked "+" in its tables. Eight times
the time for some tenths of a dB, where a network was trained towards PSNR.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from srmodels.evaluation.protocol import ENSEMBLE
from srmodels.inference.generators.generator import Generator
from srmodels.inference.tiling.upscale import concat_rows
from srmodels.resize.tensors import PixelT, to_image, to_tensor

__all__ = ["SelfEnsemble", "add_self_ensemble"]


@dataclass(frozen=True, kw_only=True)
class SelfEnsemble(Generator):
    """A generator of mean SR; its samples are single ones."""

    def rows(self, lr: NDArray[PixelT]) -> Iterator[NDArray[PixelT]]:
        """Yields SR in one band: the mean of floats, then clamped and rounded."""
        floats = to_tensor(lr)[0].permute(1, 2, 0).numpy()
        total = np.zeros((self.scale * lr.shape[0], self.scale * lr.shape[1], 3), np.float32)
        for turns in range(4):
            for flip in (False, True):
                turned = np.rot90(floats[:, ::-1] if flip else floats, turns)
                contiguous = np.ascontiguousarray(turned)
                sr = concat_rows(super().rows(contiguous), contiguous, self.scale)
                sr = np.rot90(sr, -turns)
                total += sr[:, ::-1] if flip else sr
        yield to_image(torch.from_numpy(total / 8).permute(2, 0, 1)[None], lr.dtype)


def add_self_ensemble(generators: Mapping[str, Generator]) -> dict[str, Generator]:
    """The generators, and the last one as a self-ensemble named NAME+x8."""
    name, last = list(generators.items())[-1]
    return {**generators, name + ENSEMBLE: SelfEnsemble(**vars(last))}
