"""Any network, tile by tile: a tile is read with padding, and its inside is written.

The padding covers the receptive field, so there are no seams and nothing to blend. Attention
windows stay in place because tiles begin at multiples of the window (`multiple`).
"""

from collections.abc import Iterator

from numpy.typing import NDArray

from srmodels.inference.tiling.box import Box, even_tile_size
from srmodels.inference.tiling.device import device_of
from srmodels.inference.tiling.job import HalfPrecisionError, TilingJob, halve_tile
from srmodels.resize.tensors import PixelT, to_image

__all__ = ["tiled_rows"]


def tiled_rows(job: TilingJob[PixelT]) -> Iterator[NDArray[PixelT]]:
    """Yields SR in rows of tiles, (rows, scale W, 3), from the top down."""
    height, width = job.image.shape[:2]
    if max(height, width) <= job.tile:  # the network's padding may not be known yet
        yield _upscale_row(job, job.box)
        return
    rows = even_tile_size(height, job.tile, job.multiple)
    for top in range(0, height, rows):
        yield _upscale_row(job, Box(top, 0, min(top + rows, height), width))


def _upscale_row(job: TilingJob[PixelT], row: Box) -> NDArray[PixelT]:
    whole = row == job.box and max(job.image.shape[:2]) <= job.tile
    result = job.empty(row)
    tiles = [row] if whole else row.split(job.tile, job.tile, job.multiple)
    while tiles:
        try:
            result[tiles[0].slices(row, job.scale)] = _upscale_tile(job, tiles[0])
            tiles.pop(0)
        except HalfPrecisionError:
            job.fall_back_to_fp32()
        except RuntimeError as error:
            job.tile = halve_tile(job.tile, device_of(job.network), "tiles", error)
            tiles = [part for box in tiles for part in box.split(job.tile, job.tile, job.multiple)]
    return result


def _upscale_tile(job: TilingJob[PixelT], tile: Box) -> NDArray[PixelT]:
    padded = tile if tile == job.box else tile.pad(job.padding, job.box, job.multiple)
    lr, forward = job.lr(padded), job.tile_forward
    with job.inference_context():
        sr = forward(lr, padded.top, padded.left) if forward else job.network(lr)
        job.check(sr, lr)
    return to_image(sr[(..., *tile.slices(padded, job.scale))], job.image.dtype)
