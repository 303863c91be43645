"""Pictures that differ from each other as photographs do."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def scene(seed: int, height: int = 192, width: int = 256) -> Image.Image:
    """A picture of its own for every seed: colour noise with the spectrum of photographs."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    noise = np.fft.rfft2(rng.standard_normal((3, height, width)))
    noise[:, 0, 0] = 0
    field = np.fft.irfft2(noise / (frequency + 2 / width) ** 1.2, s=(height, width))
    field[1:] = field[:1] + 0.3 * field[1:]  # colours go together
    field = field / field.std()
    pixels: NDArray[np.uint8] = (128 + 45 * np.moveaxis(field, 0, -1)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels)
