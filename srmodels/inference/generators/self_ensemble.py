"""A generator asked eight times: the mean over the flips and turns of LR, each turned back.

Timofte, Rothe, Van Gool, "Seven ways to improve example-based single image super resolution", CVPR
2016; Lim et al., "EDSR", CVPR workshops 2017, section 3.4, whose tables mark it with a plus. Eight
times the time for some tenths of a dB, where a network was trained towards PSNR.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from srmodels.evaluation.protocol import ENSEMBLE
from srmodels.inference.generators.generator import Generator
from srmodels.resize.tensors import to_image

__all__ = ["SelfEnsemble", "add_self_ensemble"]


@dataclass(frozen=True, kw_only=True)
class SelfEnsemble:
    """A callable as a Generator is: uint8 (H, W, 3) to uint8 (scale H, scale W, 3), RGB.

    Attributes:
        generator: Who is asked.
    """

    generator: Generator

    def __call__(self, lr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Enlarges one picture; the mean is that of floats, before clamping and rounding."""
        floats = lr.astype(np.float32) / np.float32(255)
        total = np.zeros((self.scale * lr.shape[0], self.scale * lr.shape[1], 3), np.float32)
        for turns in range(4):
            for mirrored in (False, True):
                seen = np.rot90(floats[:, ::-1] if mirrored else floats, turns)
                sr = np.rot90(self.generator(np.ascontiguousarray(seen)), -turns)
                total += sr[:, ::-1] if mirrored else sr
        return to_image(torch.from_numpy(total / 8).permute(2, 0, 1)[None])

    @property
    def scale(self) -> int:
        """How many times larger it makes a picture."""
        return self.generator.scale

    @property
    def parameters(self) -> int:
        """The generator's own: nothing is trained for this."""
        return self.generator.parameters

    @property
    def has_samples(self) -> bool:
        """Whether the generator has."""
        return self.generator.has_samples

    def sample(
        self, lr: NDArray[np.uint8], *, generator: torch.Generator, temperature: float
    ) -> NDArray[np.uint8]:
        """The generator's own: the mean of eight would be no sample."""
        return self.generator.sample(lr, generator=generator, temperature=temperature)


def add_self_ensemble(generators: Mapping[str, Generator]) -> dict[str, Generator | SelfEnsemble]:
    """What an evaluation compares, and the last of it as a self-ensemble: NAME+x8."""
    name, last = list(generators.items())[-1]
    return {**generators, name + ENSEMBLE: SelfEnsemble(generator=last)}
