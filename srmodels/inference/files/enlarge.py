"""A picture with all that belongs to it, to the size and the depth that is wished for.

The values stay in the picture's own colour space, whose profile goes along. Grey goes through the
network as RGB and comes back as the mean of its channels. Alpha is enlarged apart, by bicubic: no
network's invention makes holes in a picture.

Colour behind transparency: what lies under clear pixels must not show at their edges.
"""

import tempfile
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from srmodels.errors import ConfigError
from srmodels.images.colour import Pixels, round_to_8
from srmodels.images.readers.source_image import SourceImage
from srmodels.images.writers.formats import Format
from srmodels.images.writers.row_stream import RowChunks, RowStream
from srmodels.inference.files.back_projection import back_project
from srmodels.inference.files.resample import resampled, resampled_part
from srmodels.inference.generators.generator import Generator

__all__ = ["OutputOptions", "fill_transparent", "passes", "upscale_image"]

_MOST_PASSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """What a result shall be.

    Attributes:
        scale: How many times larger; None: as the generator makes it.
        max_side: Its larger side at most, in pixels; None: no bound.
        bits: 8 or 16 a channel; None: 16 of pictures that have more than 8, but 8 of camera RAW.
        consistent: Whether it is corrected until, reduced again, it is the picture.
    """

    scale: float | None = None
    max_side: int | None = None
    bits: int | None = None
    consistent: bool = False

    def factor(self, height: int, width: int, scale: int) -> float:
        """How many times larger than a picture its result is, by a generator of that scale."""
        factor = self.scale or float(scale)
        return min(factor, (self.max_side or np.inf) / max(height, width))

    def bits_of(self, whole: SourceImage, kind: Format) -> int:
        """How many bits a picture's result has in a kind of file."""
        own = 16 if whole.colour.dtype == np.uint16 and whole.kind != "RAW" else 8
        return min(self.bits or own, 16 if kind.has_16bit else 8)


def passes(factor: float, scale: int) -> int:
    """How often a picture goes through a network to become so many times larger, or a bit more.

    0 where nothing is to be enlarged; a network of scale 1 still does its work there.

    Raises:
        ConfigError: More than twice would be needed.
    """
    if factor <= 1:
        return int(scale == 1)
    for count in range(1, _MOST_PASSES + 1):
        if scale**count >= factor:
            return count
    raise ConfigError(
        f"--scale: is too large (found {factor:g}); at most {scale**_MOST_PASSES} is right, for "
        f"which a network of scale {scale} is used twice"
    )


def _deep_as(values: Pixels, bits: int) -> Pixels:
    if bits == 8 * values.itemsize:
        return values
    return round_to_8(values) if bits == 8 else values.astype(np.uint16) * np.uint16(257)  # type: ignore[arg-type]


def _stored(
    bands: RowChunks, height: int, width: int, kind: np.dtype[np.uint8 | np.uint16]
) -> Pixels:
    """A picture in a file without a name: the second pass reads it in parts."""
    with tempfile.TemporaryFile() as file:
        picture = np.memmap(file, kind, "w+", shape=(height, width, 3))
    done = 0
    for band in bands:
        picture[done : done + len(band)] = band
        done += len(band)
    return picture


def _through(
    generator: Generator, picture: Pixels, *, count: int, seed: int | None, corrected: bool
) -> RowChunks:
    """A picture, (H, W, 3), so many times through the network; drawn, if there is a seed."""
    bands: RowChunks = iter([picture])
    for number in range(count):
        if number:
            height, width = (generator.scale * side for side in picture.shape[:2])
            picture = _stored(bands, height, width, picture.dtype)
        if seed is None:
            bands = generator.rows(picture)
        else:
            drawn = torch.Generator().manual_seed(seed)
            bands = iter([generator.sample(picture, generator=drawn)])  # type: ignore[arg-type]
        if corrected:
            bands = back_project(bands, picture, scale=generator.scale)
    yield from bands


def _grey(band: Pixels) -> Pixels:
    mean = band.mean(axis=2, keepdims=True, dtype=np.float32)
    grey: Pixels = (mean + 0.5).astype(band.dtype)
    return grey


def _finished(
    bands: RowChunks, alpha: Pixels | None, *, grey: bool, size: tuple[int, int]
) -> RowChunks:
    """Rows as they go to the file."""
    done = 0
    for rows in bands:
        band = _grey(rows) if grey else rows
        if alpha is not None:
            end = done + len(band)
            part = resampled_part(alpha[..., None], size, done, end, kernel="bicubic")
            band = np.concatenate((band, part), axis=2)
        done += len(band)
        yield band


def upscale_image(
    whole: SourceImage,
    generator: Generator,
    wish: OutputOptions,
    kind: Format,
    *,
    seed: int | None = None,
) -> RowStream:
    """Enlarges a picture; the work is done when the rows are asked for.

    Args:
        whole: The picture.
        generator: Whose network makes it larger.
        wish: What it shall become.
        kind: Of the file it goes to.
        seed: Of a VAE's sample; None: its most likely picture.

    Raises:
        ConfigError: The wish is beyond the generator.
    """
    bits, scale = wish.bits_of(whole, kind), generator.scale
    height, width, channels = whole.colour.shape
    factor = wish.factor(height, width, scale)
    count = passes(factor, scale)
    size = (max(1, int(factor * height + 0.5)), max(1, int(factor * width + 0.5)))
    colour = _deep_as(whole.colour, bits)
    alpha = None if whole.alpha is None else _deep_as(whole.alpha, bits)
    if alpha is not None:
        colour = fill_transparent(colour, alpha)
    picture = np.broadcast_to(colour, (height, width, 3))
    bands = _through(generator, picture, count=count, seed=seed, corrected=wish.consistent)
    made = (scale**count * height, scale**count * width)
    if made != size:
        bands = resampled(bands, size=made, to=size)
    return RowStream(
        height=size[0],
        width=size[1],
        channels=channels + (alpha is not None),
        bits=bits,
        bands=_finished(bands, alpha, grey=channels == 1, size=size),
        metadata=whole.metadata,
    )


def fill_transparent(colour: Pixels, alpha: Pixels) -> Pixels:
    """Gives every clear pixel the colour of the nearest one that is not.

    Programs write black, white or anything there. A network, or any kernel, would mix it into the
    pixels beside it, and an outline of that colour would appear.

    Args:
        colour: (H, W, C).
        alpha: (H, W), 0 clear.

    Returns:
        Colour of the same kind; as it was where nothing or everything is clear.
    """
    clear = alpha == 0
    if not clear.any() or clear.all():
        return colour
    rows, columns = ndimage.distance_transform_edt(
        clear, return_distances=False, return_indices=True
    )
    made: Pixels = colour[rows, columns]
    return made
