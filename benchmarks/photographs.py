"""2K photographs for benchmarks, made of those in the scikit-image and scikit-learn wheels.

Each is a mosaic of six crops, enlarged 1.3 to 2 times (Lanczos; more for small photographs),
mirrored and brightened at random, with noise of 2 of 255: about 1.7 bytes per pixel as PNG.
"""

from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.data.datasets.bundled import copy_bundled, read_choice
from srmodels.images.readers.decode import decode

WIDTH, HEIGHT = 2040, 1404
_ACROSS, _DOWN = 3, 2
CHOICE = Path(__file__).parents[1] / "data" / "auto" / "quickstart.csv"


def _tile(rng: np.random.Generator, photo: NDArray[np.uint8]) -> NDArray[np.float64]:
    width, height = WIDTH // _ACROSS, HEIGHT // _DOWN
    factor = max(rng.uniform(1.3, 2), width / photo.shape[1], height / photo.shape[0])
    across, down = int(width / factor), int(height / factor)
    left = int(rng.integers(0, photo.shape[1] - across + 1))
    top = int(rng.integers(0, photo.shape[0] - down + 1))
    crop = photo[top : top + down, left : left + across]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    large = Image.fromarray(np.ascontiguousarray(crop)).resize(
        (width, height), Image.Resampling.LANCZOS
    )
    return np.asarray(large) * rng.uniform(0.8, 1.1)


def _make(number: int, folder: Path, photos: list[NDArray[np.uint8]]) -> None:
    rng = np.random.default_rng(number)
    rows = [
        np.concatenate([_tile(rng, photos[rng.integers(len(photos))]) for _ in range(_ACROSS)], 1)
        for _ in range(_DOWN)
    ]
    picture = np.concatenate(rows)
    picture += rng.normal(0, 2, picture.shape)
    pixels = picture.round().clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / f"{number:04d}.png", compress_level=6)


def make_photographs(folder: Path, count: int, pool: Pool) -> list[Path]:
    """Writes `count` PNG photographs of 2040 x 1404 pixels, the same in every run."""
    originals = folder / "originals"
    originals.mkdir()
    photos = [decode(path) for _, path in copy_bundled(read_choice(CHOICE), originals)]
    pool.map(partial(_make, folder=folder, photos=photos), range(count), chunksize=1)
    return sorted(folder.glob("*.png"))
