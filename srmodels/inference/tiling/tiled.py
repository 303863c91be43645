"""Any generator, tile by tile: each is read with its padding, and its inside alone is written.

The padding covers the generator's receptive field, so there are no seams and nothing to blend:
also with attention, whose windows stand where they stand in the whole picture (`multiple`).
"""

from collections.abc import Iterator

from numpy.typing import NDArray

from srmodels.inference.tiling.box import Box, even_tile_size
from srmodels.inference.tiling.device import device_of, is_out_of_memory
from srmodels.inference.tiling.job import HalfPrecisionError, TilingJob, halve_tile
from srmodels.inference.tiling.pixels import Kind, to_pixels

__all__ = ["tiled_rows"]


def tiled_rows(job: TilingJob[Kind]) -> Iterator[NDArray[Kind]]:
    """A picture in rows of tiles, (rows, scale W, 3), from top to bottom."""
    height, width = job.image.shape[:2]
    tall = even_tile_size(height, job.tile, job.multiple)
    for top in range(0, height, tall):
        yield _row(job, Box(top, 0, min(top + tall, height), width))


def _row(job: TilingJob[Kind], row: Box) -> NDArray[Kind]:
    result, boxes = job.empty(row), row.split(job.tile, job.tile, job.multiple)
    while boxes:
        try:
            result[boxes[0].of(row, job.scale)] = _enlarged(job, boxes[0])
            boxes.pop(0)
        except HalfPrecisionError:
            job.go_on_in_fp32()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            job.tile = halve_tile(job.tile, device_of(job.network), "tiles")
            boxes = [part for box in boxes for part in box.split(job.tile, job.tile, job.multiple)]
    return result


def _enlarged(job: TilingJob[Kind], box: Box) -> NDArray[Kind]:
    read = box.around(job.padding, job.box, job.multiple)
    lr, enlarger = job.lr(read), job.enlarger
    with job.computing():
        sr = enlarger(lr, read.top, read.left) if enlarger else job.network(lr)
        job.check(sr, lr)
    return to_pixels(sr[(..., *box.of(read, job.scale))], job.image.dtype)
