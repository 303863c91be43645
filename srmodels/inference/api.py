"""`srmodels.load`: an upscaler for NumPy arrays, Pillow images and tensors."""

import os
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from srmodels.errors import PhotoError
from srmodels.inference.generators.generator import Generator, with_engine
from srmodels.inference.tiling.device import Engine, Precision
from srmodels.inference.weights.open_weights import open_weights
from srmodels.inference.weights.registry import weights_file
from srmodels.machine import resolve_device
from srmodels.resize.tensors import PixelT

__all__ = ["Upscaler", "load"]

PictureT = TypeVar(
    "PictureT",
    NDArray[np.uint8],
    NDArray[np.uint16],
    NDArray[np.float32],
    Image.Image,
    Tensor,
)
_DTYPES = (np.uint8, np.uint16, np.float32)


@dataclass(frozen=True)
class Upscaler:
    """A callable that enlarges arrays, images and tensors."""

    generator: Generator

    @property
    def scale(self) -> int:
        """SR pixels per LR pixel."""
        return self.generator.scale

    @property
    def name(self) -> str:
        """The network's module name."""
        return self.generator.name

    def __call__(self, image: PictureT) -> PictureT:
        """Enlarges one picture, or a batch of tensors, to the same type.

        Args:
            image: sRGB: an array (H, W, 3), or (H, W) for grey, of uint8, uint16 or float32; a
                Pillow image of mode RGB or L; or a float32 tensor (3, H, W) or (N, 3, H, W). Floats
                are in [0, 1]. A tensor's result is on its device and carries no gradient.

        Raises:
            PhotoError: The type, mode, shape or range is another.
        """
        if isinstance(image, Image.Image):
            if image.mode not in ("RGB", "L"):
                raise PhotoError(
                    f"image: has an unsupported mode (got {image.mode!r}). "
                    "Convert it: image.convert('RGB')."
                )
            return Image.fromarray(self._upscale_array(np.asarray(image)))
        if isinstance(image, Tensor):
            return self._upscale_tensor(image)
        if isinstance(image, np.ndarray):
            return self._upscale_array(image)
        raise PhotoError(
            f"image: is no picture (got {type(image).__name__}). Pass a NumPy array, a Pillow "
            "image or a tensor; PIL.Image.open opens a file."
        )

    def _upscale_array(self, image: NDArray[PixelT]) -> NDArray[PixelT]:
        _check(image)
        grey = image.ndim == 2
        sr = self.generator(np.stack([image] * 3, axis=2) if grey else image)
        if sr.dtype == np.float32:
            sr = np.clip(sr, 0, 1)
        if grey:
            mean = sr.mean(axis=2, dtype=np.float64)
            sr = (mean if sr.dtype == np.float32 else np.rint(mean)).astype(sr.dtype)
        return sr

    def _upscale_tensor(self, image: Tensor) -> Tensor:
        batch = image[None] if image.ndim == 3 else image
        if batch.ndim != 4 or batch.shape[1] != 3 or batch.dtype != torch.float32:
            raise PhotoError(
                f"image: is an unsupported tensor (got {image.dtype}, {tuple(image.shape)}). Pass "
                "float32 of (3, H, W) or (N, 3, H, W) in [0, 1]."
            )
        pictures = batch.detach().permute(0, 2, 3, 1).cpu().contiguous().numpy()
        results = [torch.from_numpy(self._upscale_array(lr)).permute(2, 0, 1) for lr in pictures]
        sr = torch.stack(results).contiguous().to(image.device)
        return sr[0] if image.ndim == 3 else sr


def _check(image: NDArray[Any]) -> None:
    if image.dtype not in _DTYPES:
        raise PhotoError(
            f"image: has an unsupported dtype (got {image.dtype}). Pass uint8, uint16, or float32 "
            "in [0, 1]."
        )
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or not image.size:
        raise PhotoError(
            f"image: has an unsupported shape (got {image.shape}). Pass (H, W, 3), or (H, W) for "
            "grey, without alpha."
        )
    if image.dtype == np.float32 and not (image.min() >= 0 and image.max() <= 1):  # NaN, too
        raise PhotoError(
            f"image: is out of range (got {image.min():.3g} to {image.max():.3g}). "
            "Pass floats in [0, 1]."
        )


def load(
    path: str | os.PathLike[str],
    *,
    device: str = "auto",
    tile: int = 256,
    precision: Precision = "fp32",
    engine: Engine = "torch",
) -> Upscaler:
    """Opens a generator.

    Args:
        path: A generator.safetensors of this project; a name of `srmodels weights`, such as
            "realesrgan-x4plus"; ncnn's .param; or other weights that spandrel (the extra
            `community`) recognises.
        device: "auto" (CUDA, then Apple's MPS, then the CPU), "cuda", "mps" or "cpu".
        tile: Side of the tiles in LR pixels.
        precision: "fp32", "bf16", "fp16", or "auto".
        engine: "torch", or "openvino" for plain convolutional networks on the CPU.

    Raises:
        WeightsError: The file cannot be used.
        ConfigError: The device, the precision or the engine is not available.
    """
    generator = open_weights(
        weights_file(os.fspath(path)),
        device=resolve_device(device),
        tile=tile,
        precision=precision,
    )
    return Upscaler(with_engine(generator, engine))
