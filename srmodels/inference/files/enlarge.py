"""One picture with alpha, colour profile and metadata, enlarged to a given size and bit depth.

Values stay in the picture's own colour space. Grey goes through the network as RGB and comes back
as the mean of the channels. Alpha is enlarged by bicubic interpolation.
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
from srmodels.images.writers.row_stream import RowChunks, RowStream, fill_rows
from srmodels.inference.files.back_projection import back_project
from srmodels.inference.files.resample import resample_part, resample_rows
from srmodels.inference.generators.generator import Generator

__all__ = ["OutputOptions", "fill_transparent", "passes", "upscale_image"]

_MAX_PASSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Size and depth of a result."""

    scale: float | None = None  # None: the generator's
    max_side: int | None = None  # upper bound of the longer side, in pixels
    bits: int | None = None  # 8 or 16; None: 16 for pictures with more than 8, but 8 for camera RAW
    consistent: bool = False  # whether to correct the result until it is the picture when reduced

    def factor(self, height: int, width: int, scale: int) -> float:
        """How many times larger the result of a (height, width) picture is."""
        return min(self.scale or float(scale), (self.max_side or np.inf) / max(height, width))

    def bits_of(self, image: SourceImage, file_format: Format) -> int:
        """Bits per channel of a picture's result."""
        own = 16 if image.colour.dtype == np.uint16 and image.kind != "RAW" else 8
        return min(self.bits or own, 16 if file_format.has_16bit else 8)


def passes(factor: float, scale: int) -> int:
    """How often a picture goes through the network to become at least `factor` times larger.

    A network of scale 1 runs once. Raises ConfigError if two passes do not suffice.
    """
    if factor <= 1:
        return int(scale == 1)
    for count in range(1, _MAX_PASSES + 1):
        if scale**count >= factor:
            return count
    raise ConfigError(
        f"--scale: is too large for a network of scale {scale} (got {factor:g}). "
        f"Use at most {scale**_MAX_PASSES}, which takes two passes."
    )


def fill_transparent(colour: Pixels, alpha: Pixels) -> Pixels:
    """Gives clear pixels (alpha 0) of colour (H, W, C) the colour of the nearest other pixel.

    Otherwise a network, or any kernel, would mix what programs store there into visible edges.
    Returns the input where nothing or everything is clear.
    """
    clear = alpha == 0
    if not clear.any() or clear.all():
        return colour
    rows, columns = ndimage.distance_transform_edt(
        clear, return_distances=False, return_indices=True
    )
    filled: Pixels = colour[rows, columns]
    return filled


def _to_bits(values: Pixels, bits: int) -> Pixels:
    if bits == 8 * values.itemsize:
        return values
    return round_to_8(values) if bits == 8 else values.astype(np.uint16) * np.uint16(257)  # type: ignore[arg-type]


def _run_network(
    generator: Generator, picture: Pixels, *, count: int, seed: int | None, consistent: bool
) -> RowChunks:
    """Bands of a picture (H, W, 3) after some passes; samples, if there is a seed."""
    bands: RowChunks = iter([picture])
    for number in range(count):
        if number:  # the network reads slices of a picture, so the first result goes to disk
            height, width = (generator.scale * side for side in picture.shape[:2])
            with tempfile.TemporaryFile() as file:
                result = np.memmap(file, picture.dtype, "w+", shape=(height, width, 3))
            picture = fill_rows(result, bands)
        if seed is None:
            bands = generator.rows(picture)
        else:
            rng = torch.Generator().manual_seed(seed)
            bands = iter([generator.sample(picture, generator=rng)])  # type: ignore[arg-type]
        if consistent:
            bands = back_project(bands, picture, scale=generator.scale)
    yield from bands


def _to_output_channels(
    bands: RowChunks, alpha: Pixels | None, *, grey: bool, size: tuple[int, int]
) -> RowChunks:
    """RGB bands as grey if wished, with alpha resized to `size` if there is any."""
    top = 0
    for rgb in bands:
        band = rgb
        if grey:
            mean = rgb.mean(axis=2, keepdims=True, dtype=np.float32)
            band = (mean + 0.5).astype(rgb.dtype)
        bottom = top + len(band)
        if alpha is not None:
            rows = resample_part(alpha[..., None], size, top, bottom, kernel="bicubic")
            band = np.concatenate((band, rows), axis=2)
        top = bottom
        yield band


def upscale_image(
    image: SourceImage,
    generator: Generator,
    options: OutputOptions,
    file_format: Format,
    *,
    seed: int | None = None,
) -> RowStream:
    """Enlarges a picture while the rows of the returned stream are read.

    With a seed, a VAE draws a sample; without, its mean latent is used.

    Raises:
        ConfigError: Two passes do not reach the size.
    """
    bits, scale = options.bits_of(image, file_format), generator.scale
    height, width, channels = image.colour.shape
    factor = options.factor(height, width, scale)
    count = passes(factor, scale)
    size = (max(1, int(factor * height + 0.5)), max(1, int(factor * width + 0.5)))
    colour = _to_bits(image.colour, bits)
    alpha = None if image.alpha is None else _to_bits(image.alpha, bits)
    if alpha is not None:
        colour = fill_transparent(colour, alpha)
    rgb = np.broadcast_to(colour, (height, width, 3))
    bands = _run_network(generator, rgb, count=count, seed=seed, consistent=options.consistent)
    network_size = (scale**count * height, scale**count * width)
    if network_size != size:
        bands = resample_rows(bands, size=network_size, to=size)
    return RowStream(
        height=size[0],
        width=size[1],
        channels=channels + (alpha is not None),
        bits=bits,
        bands=_to_output_channels(bands, alpha, grey=channels == 1, size=size),
        metadata=image.metadata,
    )
