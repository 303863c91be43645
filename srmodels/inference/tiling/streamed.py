"""Convolutional generators: the trunk rolls down the picture, the tail enlarges in small tiles.

The trunk computes every row once (see `rolling`), the tail of a 64 x 64 tile stays in the cache,
and nothing is held of the whole picture: no seams by construction, and no padding computed twice
but the tail's few pixels. Only a picture too wide for what the trunk keeps is cut into upright
strips with the trunk's whole padding, and into slabs, in which the strips' results wait.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from numpy.typing import NDArray

from srmodels.inference.tiling.box import Box
from srmodels.inference.tiling.device import device_of, is_out_of_memory
from srmodels.inference.tiling.job import HalfPrecisionError, TilingJob, halve_tile
from srmodels.inference.tiling.pixels import Kind, to_pixels
from srmodels.inference.tiling.trunk import Held, Trunk
from srmodels.models._split import Split

__all__ = ["streamed_rows"]

_KEPT_BYTES = 11 * 2**28  # 2.75 GiB, for the picture and the rows that a trunk's layers keep,
_LEAST_KEPT_BYTES = 2**30  # of which these have so much: with the rest, less than 4 GiB
_SLAB_BYTES = 2**29  # for the result of a slab
_LEAST_BAND = 8  # rows: with fewer, layers copy the rows they keep more often than they compute


@dataclass
class _Sizes:
    """How much is done at once.

    Attributes:
        tail: Side of a tail's tile, LR pixels.
        band: Pixels of LR that go into the trunk at once, about.
        columns: how wide a trunk may be, LR pixels.
    """

    tail: int
    band: int
    columns: int


def streamed_rows(job: TilingJob[Kind]) -> Iterator[NDArray[Kind]]:
    """A picture in bands, (rows, scale W, 3), from top to bottom; the network is a `Split`."""
    device = device_of(job.network)
    # on a CPU, what is larger leaves its cache; elsewhere, what is smaller does not fill it
    tail, band = (64, 2**13) if device.type == "cpu" else (256, 2**18)
    sizes = _Sizes(min(tail, job.tile), band, _widest(job))
    top = 0
    while top < job.box.bottom:
        try:
            for rows in _bands(job, top, sizes):
                yield rows
                top += len(rows) // job.scale
        except HalfPrecisionError:
            job.go_on_in_fp32()
            sizes.columns = min(sizes.columns, _widest(job))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            sizes.columns = halve_tile(min(sizes.columns, job.box.right), device, "strips")
            sizes.tail, sizes.band = max(32, sizes.tail // 2), sizes.band // 2


def _widest(job: TilingJob[Kind]) -> int:
    """How wide a picture may be for the rows that its trunk keeps, in LR pixels."""
    trunk = Trunk(job.network, 1, band=1)
    with job.computing():
        trunk.push(torch.zeros(1, 3, 1, 1, device=device_of(job.network)))
    kept = max(_LEAST_KEPT_BYTES, _KEPT_BYTES - job.image.nbytes)
    return max(1, kept // max(1, trunk.bytes_per_column()))


def _bands(job: TilingJob[Kind], top: int, sizes: _Sizes) -> Iterator[NDArray[Kind]]:
    """What there is below a row of LR, in bands as wide as the picture."""
    rest = job.box._replace(top=top)
    if rest.right <= sizes.columns:
        yield from _strip(job, rest, sizes)
        return
    padding = _split(job).trunk_padding + _split(job).tail_padding
    width = max(sizes.tail, sizes.columns - 2 * padding)
    height = max(sizes.tail, _SLAB_BYTES // (job.row_bytes * job.scale))
    for slab in rest.split(height, rest.right):
        result = job.empty(slab)
        for strip in slab.split(height, width):
            done, columns = 0, strip.of(slab, job.scale)[1]
            for rows in _strip(job, strip, sizes):
                result[done : done + len(rows), columns] = rows
                done += len(rows)
        yield result


def _strip(job: TilingJob[Kind], strip: Box, sizes: _Sizes) -> Iterator[NDArray[Kind]]:
    """A strip in bands of its own width."""
    network = _split(job)
    read = strip.around(network.trunk_padding + network.tail_padding, job.box)
    height = max(_LEAST_BAND, sizes.band // (read.right - read.left))
    parts = iter(read.split(height, read.right))
    trunk, features = Trunk(job.network, read.bottom - read.top, height), Held(read.top)
    for band in strip.split(sizes.tail, strip.right):
        while features.end < band.around(network.tail_padding, job.box).bottom:
            part = next(parts, None)
            lr = None if part is None else job.lr(part)
            with job.computing():
                settled = trunk.push(lr)
            if settled is not None:
                features.append(settled)
            features.drop_before(band.top - network.tail_padding)
        yield _enlarged(job, band, features, read.left, sizes.tail)


def _enlarged(
    job: TilingJob[Kind], band: Box, features: Held, left: int, tile: int
) -> NDArray[Kind]:
    """A band through the tail; the features begin at a column of LR."""
    network, result = _split(job), job.empty(band)
    for box in band.split(tile, tile):
        read = box.around(network.tail_padding, job.box)
        columns = slice(read.left - left, read.right - left)
        seen = features.rows(read.top, read.bottom)[..., columns]
        lr = job.lr(read)
        with job.computing():
            sr = network.sr_of(seen.contiguous(memory_format=torch.channels_last), lr)
            job.check(sr, lr)
        inside = sr[(..., *box.of(read, job.scale))]
        result[box.of(band, job.scale)] = to_pixels(inside, job.image.dtype)
    return result


def _split(job: TilingJob[Kind]) -> Split:
    assert isinstance(job.network, Split), f"{type(job.network).__name__} has no trunk and tail"
    return job.network
