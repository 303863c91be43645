"""JPEG 2000 by OpenJPEG: components become grey, RGB, CMYK or Lab as the boxes around them say.

ISO/IEC 15444-1, annex I; 15444-2, annex M. OpenJPEG gets the bare codestream: it would apply boxes
only in part.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import openjpeg
from numpy.typing import NDArray

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels, scale_bits, straight_alpha
from srmodels.images.colour_spaces import D50, ColourSpace
from srmodels.images.limits import check_size
from srmodels.images.readers.jpeg2000.header import Header, read_boxes
from srmodels.images.readers.raster import Raster, exif_loader, no_exif

__all__ = ["read_jpeg2000"]

Values = NDArray[np.uint8 | np.uint16]

# enumerated colour spaces (15444-1, table I.10; 15444-2, table M.25)
_CMYK, _LAB, _SRGB, _GREY, _SYCC, _ROMM = 12, 14, 16, 17, 18, 21
_CHANNELS = {_CMYK: 4, _LAB: 3, _SRGB: 3, _GREY: 1, _SYCC: 3, _ROMM: 3}
# ISO 22028-2 (ROMM RGB), tables 1 and 3; the straight part near black is left out
_ROMM_SPACE = ColourSpace(
    "ROMM RGB", ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), (0.3457, 0.3585)), 1.8
)
_OPACITY, _PREMULTIPLIED = 1, 2
_MAX_CHANNELS = 16


@dataclass(frozen=True, slots=True)
class _Size:
    """The codestream's marker SIZ (section A.5.1)."""

    left: int  # on the reference grid
    top: int
    right: int
    bottom: int
    bits: tuple[int, ...]
    signed: bool
    steps: tuple[tuple[int, int], ...]  # of the components on the grid: across, down

    @property
    def width(self) -> int:
        """Columns of the first component."""
        return -(-self.right // self.steps[0][0]) - -(-self.left // self.steps[0][0])

    @property
    def height(self) -> int:
        """Rows of the first component."""
        return -(-self.bottom // self.steps[0][1]) - -(-self.top // self.steps[0][1])


def _read_size(codestream: bytes) -> _Size:
    if codestream[:4] != b"\xff\x4f\xff\x51" or len(codestream) < 45:
        raise PhotoError("is a damaged JPEG 2000 (its codestream has no size)")
    right, bottom, left, top = struct.unpack_from(">4L", codestream, 8)
    (count,) = struct.unpack_from(">H", codestream, 40)
    parts = [codestream[42 + 3 * k : 45 + 3 * k] for k in range(count)]
    steps = tuple((part[1], part[2]) for part in parts if len(part) == 3)
    if not steps or len(steps) < count or right <= left or bottom <= top or min(min(steps)) < 1:
        raise PhotoError("is a damaged JPEG 2000 (its size is missing)")
    if len(set(steps)) > 1 and steps[0] != (1, 1):
        raise PhotoError("has channels of sizes that are not read")
    return _Size(
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        bits=tuple((part[0] & 127) + 1 for part in parts),
        signed=any(part[0] & 128 for part in parts),
        steps=steps,
    )


def _decode(codestream: bytes, size: _Size) -> tuple[Values, bool]:
    """Components (H, W, C), all as large as the first, and whether YCbCr is to become RGB."""
    dtype = "<u1" if max(size.bits) <= 8 else "<u2"
    values = openjpeg.decode(codestream, 0, reshape=False).view(dtype)
    width, height = size.right - size.left, size.bottom - size.top
    count = height * width * len(size.bits)
    values = values[:count].reshape(height, width, -1)
    across, down = size.steps[0]
    # OpenJPEG repeats pixels up to the reference grid
    values = values[-size.top % down :: down, -size.left % across :: across]
    chroma = size.steps[1:]
    is_subsampled = len(chroma) == 2 and chroma != size.steps[:1] * 2
    # the samplings that OpenJPEG converts
    converted = chroma in (((2, 2), (2, 2)), ((2, 1), (2, 1)))
    return values[: size.height, : size.width], is_subsampled and not converted


def _ycc_to_rgb(values: Values, bits: int) -> Values:
    """Full-range YCbCr of ITU-R BT.601 (section J.14)."""
    half, top = 1 << (bits - 1), (1 << bits) - 1
    y, cb, cr = (values[..., k].astype(np.float32) for k in range(3))
    cb, cr = cb - half, cr - half
    rgb = np.stack((y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb), axis=-1)
    return (rgb + 0.5).clip(0, top).astype(values.dtype)


def _lab(values: Values, bits: int, given: tuple[int, ...]) -> Pixels:
    """CIELab with its ranges and offsets (15444-2, M.11.7.4.1) in 16 bits, as Raster has it."""
    half = 1 << (bits - 1)
    defaults = (100, 0, 170, half, 200, (1 << (bits - 2)) + (1 << (bits - 3)))
    range_l, offset_l, range_a, offset_a, range_b, offset_b = (
        given[:6] if len(given) >= 6 else defaults
    )
    top = (1 << bits) - 1
    floats = values.astype(np.float64)
    lightness = (floats[..., 0] - offset_l) * (range_l / top) * (65535 / 100)
    a = (floats[..., 1] - offset_a) * (range_a / top) * 256 + 32768
    b = (floats[..., 2] - offset_b) * (range_b / top) * 256 + 32768
    return (np.stack((lightness, a, b), axis=-1) + 0.5).clip(0, 65535).astype(np.uint16)


def _arrange(values: Values, header: Header, colours: int) -> tuple[Values, Values | None, bool]:
    """Colour by its associations, alpha, and whether colour is premultiplied (section I.5.3.6)."""
    order, alpha, premultiplied = list(range(colours)), None, False
    for index, kind, association in header.channels:
        if index >= values.shape[2]:
            raise PhotoError("is a damaged JPEG 2000 (a channel is missing)")
        if kind == 0 and 1 <= association <= colours:
            order[association - 1] = index
        elif kind in (_OPACITY, _PREMULTIPLIED) and association == 0 and alpha is None:
            alpha, premultiplied = values[..., index], kind == _PREMULTIPLIED
        elif kind in (_OPACITY, _PREMULTIPLIED):
            raise PhotoError("has an opacity channel of a single colour, which is not read")
    if sorted(order) != sorted(set(order)):
        raise PhotoError("is a damaged JPEG 2000 (two colours in one channel)")
    return values[..., order], alpha, premultiplied


def _colour_space(header: Header, channels: int) -> int:
    """The enumerated colour space; raises PhotoError for one that is not read."""
    space = header.space
    if space is None and header.icc:
        space = _CMYK if header.icc[16:20] == b"CMYK" else None
    if space is None:
        space = _GREY if channels < 3 else _SRGB
    if space not in _CHANNELS:
        raise PhotoError(
            f"has colours of a kind that is not read (got JPEG 2000's colour space {space}). "
            "Export sRGB"
        )
    if channels < _CHANNELS[space]:
        raise PhotoError(f"is a damaged JPEG 2000 ({channels} channels for {_CHANNELS[space]})")
    return space


def read_jpeg2000(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads a JP2, JPX or bare codestream of 1 to 16 bits."""
    file.seek(0)
    body = file.read()
    bare = body[:4] == b"\xff\x4f\xff\x51"
    header, codestream = (Header(), body) if bare else read_boxes(body)
    if not codestream:
        raise PhotoError("is cut off: it has no codestream")
    size = _read_size(codestream)
    check_size(size.width, size.height, max_pixels)
    if len(size.bits) > _MAX_CHANNELS:
        raise PhotoError(f"has too many channels (got {len(size.bits)})")
    if len(set(size.bits)) > 1 or size.signed or max(size.bits) > 16:
        raise PhotoError(
            f"is JPEG 2000 of a kind that is not read (got {'signed ' if size.signed else ''}"
            f"components of {sorted(set(size.bits))} bits). Export 8 or 16 bits"
        )
    bits = size.bits[0]
    values, is_ycc = _decode(codestream, size)
    if header.palette is not None:
        mapping = header.mapping or [(0, 1, k) for k in range(header.palette.shape[1])]
        values, bits = _through_palette(values, header, mapping, bits), header.palette_bits
    space = _colour_space(header, values.shape[2])
    colours = _CHANNELS[space]
    colour, alpha, premultiplied = _arrange(values, header, colours)
    if further := values.shape[2] - colours - (alpha is not None):
        notes.append(f"has {further} further channels, which were left out")
    if is_ycc or (space == _SYCC and len(set(size.steps)) == 1):
        colour = _ycc_to_rgb(colour, bits)
    colour = _lab(colour, bits, header.lab) if space == _LAB else scale_bits(colour, bits)
    if alpha is not None:
        alpha = scale_bits(alpha, bits)
        if alpha.dtype != colour.dtype:  # Lab has 16 bits
            alpha = alpha.astype(np.uint16) * np.uint16(257)
    if premultiplied and alpha is not None:
        colour = straight_alpha(colour, alpha)
    return Raster(
        values=colour,
        kind="JPEG2000",
        lab=D50 if space == _LAB else None,
        alpha=alpha,
        icc=header.icc,
        space=_ROMM_SPACE if space == _ROMM else None,
        load_exif=exif_loader(header.exif) if header.exif else no_exif,
        xmp=header.xmp,
        dpi=header.dpi,
        notes=notes,
    )


def _through_palette(
    values: Values, header: Header, mapping: list[tuple[int, int, int]], bits: int
) -> Values:
    """Channels from components and palette columns (sections I.5.3.4 and I.5.3.5)."""
    palette = header.palette
    assert palette is not None
    channels = []
    for component, uses_palette, column in mapping:
        if component >= values.shape[2] or (uses_palette and column >= palette.shape[1]):
            raise PhotoError("is a damaged JPEG 2000 (a channel is missing)")
        part = values[..., component]
        if uses_palette:
            part = palette[np.minimum(part, len(palette) - 1), column]
        elif bits != header.palette_bits:
            raise PhotoError("has a palette of a kind that is not read")
        channels.append(part)
    dtype = np.uint8 if header.palette_bits <= 8 else np.uint16
    return np.stack(channels, axis=-1).astype(dtype)
