"""Networks with trunk and tail: the trunk streams down the picture, the tail runs in small tiles.

The trunk computes each row once (see `trunk`), so there are no seams, and only the tail's few
pixels of padding are computed twice. A picture too wide for the rows that the trunk keeps is cut
into slabs, and each slab into vertical strips, which take the trunk's whole padding.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from numpy.typing import NDArray

from srmodels.images.writers.row_stream import fill_rows
from srmodels.inference.tiling.box import Box
from srmodels.inference.tiling.device import device_of
from srmodels.inference.tiling.job import HalfPrecisionError, TilingJob, halve_tile
from srmodels.inference.tiling.trunk import FeatureBuffer, Trunk
from srmodels.models._trunk_tail import TrunkTail
from srmodels.resize.tensors import PixelT, to_image

__all__ = ["streamed_rows"]

_MEMORY = 11 * 2**28  # 2.75 GiB for the picture and the rows that the trunk keeps,
_MIN_TRUNK_MEMORY = 2**30  # of which the rows have at least this: below 4 GiB in all
_SLAB_BYTES = 2**29  # SR of a slab
_MIN_BAND = 8  # rows; with fewer, layers copy kept rows longer than they compute
_MIN_BAND_OF_PARTS = 64  # rows; parts compute their context of 5 rows on both sides again


@dataclass
class _Sizes:
    """Work done at once, in LR pixels."""

    tail_tile: int  # side of the tail's tiles
    band_pixels: int  # that enter the trunk at once, about
    max_columns: int  # width of the trunk at most


def streamed_rows(job: TilingJob[PixelT]) -> Iterator[NDArray[PixelT]]:
    """Yields SR in bands, (rows, scale W, 3), from the top down; the network is a `TrunkTail`."""
    device = device_of(job.network)
    # larger ones leave a CPU's cache, smaller ones do not fill an accelerator
    tail_tile, band_pixels = (64, 2**13) if device.type == "cpu" else (256, 2**18)
    sizes = _Sizes(min(tail_tile, job.tile), band_pixels, _max_columns(job))
    top = 0
    while top < job.box.bottom:
        try:
            for rows in _bands(job, top, sizes):
                yield rows
                top += len(rows) // job.scale
        except HalfPrecisionError:
            job.fall_back_to_fp32()
            sizes.max_columns = min(sizes.max_columns, _max_columns(job))
        except RuntimeError as error:
            columns = min(sizes.max_columns, job.box.right)
            sizes.max_columns = halve_tile(columns, device, "strips", error)
            sizes.tail_tile = max(32, sizes.tail_tile // 2)
            sizes.band_pixels //= 2


def _trunk(job: TilingJob[PixelT], height: int, band: int) -> Trunk:
    return Trunk(job.network, height, band, engine=job.engine, precision=job.precision)


def _max_columns(job: TilingJob[PixelT]) -> int:
    """The width in LR pixels for which the trunk's rows fit into memory."""
    with job.inference_context():
        trunk = _trunk(job, 1, band=1)
        trunk.push(torch.zeros(1, 3, 1, 1, device=device_of(job.network)))
    memory = max(_MIN_TRUNK_MEMORY, _MEMORY - job.image.nbytes)
    return max(1, memory // max(1, trunk.bytes_per_column()))


def _bands(job: TilingJob[PixelT], top: int, sizes: _Sizes) -> Iterator[NDArray[PixelT]]:
    """Full-width SR of everything below an LR row."""
    rest = job.box._replace(top=top)
    if rest.right <= sizes.max_columns:
        yield from _strip(job, rest, sizes)
        return
    padding = _split(job).trunk_padding + _split(job).tail_padding
    width = max(sizes.tail_tile, sizes.max_columns - 2 * padding)
    row_bytes = 3 * job.image.itemsize * job.scale**2 * rest.right  # SR of one LR row
    height = max(sizes.tail_tile, _SLAB_BYTES // row_bytes)
    for slab in rest.split(height, rest.right):
        result = job.empty(slab)
        for strip in slab.split(height, width):
            fill_rows(result[:, strip.slices(slab, job.scale)[1]], _strip(job, strip, sizes))
        yield result


def _strip(job: TilingJob[PixelT], strip: Box, sizes: _Sizes) -> Iterator[NDArray[PixelT]]:
    """SR of a strip in bands of its width."""
    network = _split(job)
    padded = strip.pad(network.trunk_padding + network.tail_padding, job.box)
    least, pixels = _MIN_BAND, sizes.band_pixels
    if job.engine == "openvino":
        least, pixels = _MIN_BAND_OF_PARTS, 8 * pixels
    height = max(least, pixels // (padded.right - padded.left))
    parts = iter(padded.split(height, padded.right))
    trunk = _trunk(job, padded.bottom - padded.top, height)
    features = FeatureBuffer(padded.top)
    for band in strip.split(sizes.tail_tile, strip.right):
        while features.end < band.pad(network.tail_padding, job.box).bottom:
            part = next(parts, None)
            lr = None if part is None else job.lr(part)
            with job.inference_context():
                rows = trunk.push(lr)
            if rows is not None:
                features.append(rows)
            features.drop_before(band.top - network.tail_padding)
        yield _run_tail(job, band, features, padded.left, sizes.tail_tile)


def _run_tail(
    job: TilingJob[PixelT], band: Box, features: FeatureBuffer, left: int, tile_side: int
) -> NDArray[PixelT]:
    """SR of a band; `left` is the LR column at which the features begin."""
    network, result = _split(job), job.empty(band)
    for tile in band.split(tile_side, tile_side):
        padded = tile.pad(network.tail_padding, job.box)
        columns = slice(padded.left - left, padded.right - left)
        inputs = features.rows(padded.top, padded.bottom)[..., columns]
        lr = job.lr(padded)
        with job.inference_context():
            sr = network.sr_of(inputs.contiguous(memory_format=torch.channels_last), lr)
            job.check(sr, lr)
        inside = sr[(..., *tile.slices(padded, job.scale))]
        result[tile.slices(band, job.scale)] = to_image(inside, job.image.dtype)
    return result


def _split(job: TilingJob[PixelT]) -> TrunkTail:
    assert isinstance(job.network, TrunkTail), f"{type(job.network).__name__} has no trunk and tail"
    return job.network
