"""A generator for other people's Python: pictures of any usual kind in, the same kind out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from srmodels.errors import PhotoError
from srmodels.inference.generators.generator import Generator
from srmodels.inference.tiling.device import Precision, resolve_device
from srmodels.inference.tiling.pixels import Kind
from srmodels.inference.weights.open import open_weights

__all__ = ["Upscaler", "load"]

_KINDS = (np.uint8, np.uint16, np.float32)
_MODES = ("RGB", "L")


@dataclass(frozen=True)
class Upscaler:
    """A callable that enlarges pictures.

    Attributes:
        generator: The network, and how it is run.
    """

    generator: Generator

    @property
    def scale(self) -> int:
        """How many times larger a picture becomes."""
        return self.generator.scale

    @property
    def name(self) -> str:
        """The network's name."""
        return self.generator.name

    @overload
    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]: ...

    @overload
    def __call__(self, image: NDArray[np.uint16]) -> NDArray[np.uint16]: ...

    @overload
    def __call__(self, image: NDArray[np.float32]) -> NDArray[np.float32]: ...

    @overload
    def __call__(self, image: Image.Image) -> Image.Image: ...

    @overload
    def __call__(self, image: Tensor) -> Tensor: ...

    def __call__(
        self, image: NDArray[Any] | Image.Image | Tensor
    ) -> NDArray[Any] | Image.Image | Tensor:
        """Enlarges one picture, or a batch of tensors.

        Args:
            image: RGB in sRGB: a NumPy array (H, W, 3), or (H, W) for grey, of uint8, uint16 or
                float32 in [0, 1]; a Pillow image of mode RGB or L; or a float32 tensor (3, H, W) or
                (N, 3, H, W) in [0, 1].

        Returns:
            The same kind, `scale` times as high and wide; floats in [0, 1]. A tensor is on the
            device of the one given, and carries no gradient.

        Raises:
            PhotoError: The picture is of another kind or shape, or its values are out of range.
        """
        if isinstance(image, Image.Image):
            if image.mode not in _MODES:
                raise PhotoError(
                    f"image: of a mode that is not enlarged (found {image.mode!r}); RGB or L is "
                    "right, and image.convert('RGB') makes it"
                )
            return Image.fromarray(self._array(np.asarray(image)))
        if isinstance(image, Tensor):
            return self._tensor(image)
        if isinstance(image, np.ndarray):
            return self._array(image)
        raise PhotoError(
            f"image: is no picture (found {type(image).__name__}); a NumPy array, a Pillow image "
            "or a tensor is right, and PIL.Image.open opens a file"
        )

    def _array(self, image: NDArray[Kind]) -> NDArray[Kind]:
        _check(image)
        grey = image.ndim == 2
        lr = np.stack([image] * 3, axis=2) if grey else image
        sr = self.generator(lr)
        if sr.dtype == np.float32:
            sr = np.clip(sr, 0, 1)
        if grey:
            middle = sr.mean(axis=2, dtype=np.float64)
            sr = (middle if sr.dtype == np.float32 else np.rint(middle)).astype(sr.dtype)
        return sr

    def _tensor(self, image: Tensor) -> Tensor:
        batch = image[None] if image.ndim == 3 else image
        if batch.ndim != 4 or batch.shape[1] != 3 or batch.dtype != torch.float32:
            raise PhotoError(
                f"image: a tensor of another kind (found {image.dtype}, {tuple(image.shape)}); "
                "float32 of (3, H, W) or (N, 3, H, W) in [0, 1] is right"
            )
        pictures = batch.detach().permute(0, 2, 3, 1).cpu().contiguous().numpy()
        sr = [torch.from_numpy(self._array(each)).permute(2, 0, 1) for each in pictures]
        stacked = torch.stack(sr).contiguous().to(image.device)
        return stacked[0] if image.ndim == 3 else stacked


def _check(image: NDArray[Any]) -> None:
    if image.dtype not in _KINDS:
        raise PhotoError(
            f"image: of another kind of numbers (found {image.dtype}); uint8, uint16, or float32 "
            "in [0, 1] is right"
        )
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or not image.size:
        raise PhotoError(
            f"image: of another shape (found {image.shape}); (H, W, 3), or (H, W) for grey, is "
            "right, without alpha"
        )
    if image.dtype == np.float32 and not (image.min() >= 0 and image.max() <= 1):  # NaN, too
        raise PhotoError(
            f"image: out of range (found {image.min():.3g} to {image.max():.3g}); floats in "
            "[0, 1] are right"
        )


def load(
    path: str | os.PathLike[str],
    *,
    device: str = "auto",
    tile: int = 256,
    precision: Precision = "fp32",
) -> Upscaler:
    """Opens a generator.

    Args:
        path: A generator.safetensors of this project, or others' weights where spandrel (the extra
            `community`) recognises them.
        device: "auto" (CUDA, then Apple's MPS, then the CPU), "cuda", "mps" or "cpu".
        tile: Side of the tiles in LR pixels.
        precision: "fp32", "bf16", "fp16", or "auto".

    Raises:
        WeightsError: The file cannot be used.
        ConfigError: The device is not there, or the precision not possible.
    """
    return Upscaler(
        open_weights(Path(path), device=resolve_device(device), tile=tile, precision=precision)
    )
