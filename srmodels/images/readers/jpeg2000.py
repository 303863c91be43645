"""JPEG 2000 by OpenJPEG: components become grey, RGB, CMYK or Lab as the boxes around them say.

ISO/IEC 15444-1, annex I; 15444-2, annex M. OpenJPEG gets the bare codestream: it would apply boxes
only in part.
"""

import struct
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import openjpeg
from numpy.typing import NDArray

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels, scale_bits, straight_alpha
from srmodels.images.colour_spaces import ColourSpace, from_gamma
from srmodels.images.limits import check_size
from srmodels.images.boxes import boxes
from srmodels.images.readers.raster import Raster

__all__ = ["read_jpeg2000"]

Values = NDArray[np.uint8 | np.uint16]

# enumerated colour spaces (15444-1, table I.10; 15444-2, table M.25)
_CMYK, _LAB, _SRGB, _GREY, _SYCC, _ESRGB, _ROMM, _ESYCC = 12, 14, 16, 17, 18, 20, 21, 24
_CHANNELS = {_CMYK: 4, _LAB: 3, _SRGB: 3, _GREY: 1, _SYCC: 3, _ROMM: 3}
# ISO 22028-2 (ROMM RGB), tables 1 and 3; the straight part near black is left out
_ROMM_PRIMARIES = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), (0.3457, 0.3585))
_OPACITY, _PREMULTIPLIED, _UNKNOWN = 1, 2, 65535


@dataclass(slots=True)
class _Header:
    """What the boxes say."""

    space: int | None = None  # enumerated
    lab: tuple[int, ...] = ()
    icc: bytes | None = None
    palette: NDArray[np.uint16] | None = None  # (entries, columns)
    palette_bits: int = 8
    mapping: list[tuple[int, int, int]] = field(default_factory=list)  # component, uses, column
    channels: list[tuple[int, int, int]] = field(default_factory=list)  # index, type, association
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    exif: bytes | None = None


def _read_colour(body: bytes, header: _Header) -> None:
    """The first colour specification that is understood counts (section I.5.3.3)."""
    if header.space is not None or header.icc is not None:
        return
    if body[0] == 1:
        header.space = int.from_bytes(body[3:7], "big")
        count = len(body[7:]) // 4
        header.lab = struct.unpack_from(f">{count}L", body, 7)
    elif body[0] in (2, 3):
        header.icc = body[3:]


def _read_palette(body: bytes, header: _Header) -> None:
    entries, columns = struct.unpack_from(">HB", body)
    bits = {(value & 127) + 1 for value in body[3 : 3 + columns]}
    if len(bits) != 1 or max(bits) > 16:
        raise PhotoError("has a palette of a kind that is not read")
    header.palette_bits = bits.pop()
    dtype = ">u1" if header.palette_bits <= 8 else ">u2"
    table = np.frombuffer(body, dtype, entries * columns, 3 + columns)
    header.palette = table.astype(np.uint16).reshape(entries, columns)


def _read_resolution(body: bytes) -> tuple[float, float]:
    """Pixels per inch of a box resc or resd (section I.5.3.7)."""
    n_down, d_down, n_across, d_across, e_down, e_across = struct.unpack_from(">HHHHbb", body)
    return n_across / d_across * 10**e_across * 0.0254, n_down / d_down * 10**e_down * 0.0254


_XMP = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_EXIF = b"JpgTiffExif->JP2"


def _read_boxes(body: bytes) -> tuple[_Header, bytes]:
    """The header and the codestream."""
    header, codestream = _Header(), b""
    for kind, start, end in boxes(body):
        content = body[start:end]
        if kind == b"jp2h":
            for inner, first, last in boxes(content):
                part = content[first:last]
                if inner == b"colr":
                    _read_colour(part, header)
                elif inner == b"pclr":
                    _read_palette(part, header)
                elif inner == b"cmap":
                    header.mapping = list(struct.iter_unpack(">HBB", part))
                elif inner == b"cdef":
                    header.channels = list(struct.iter_unpack(">HHH", part[2:]))
                elif inner == b"res ":
                    found = [box for box in boxes(part) if box.kind in (b"resc", b"resd")]
                    if found:
                        header.dpi = _read_resolution(part[found[-1].start : found[-1].end])
        elif kind == b"jp2c" and not codestream:
            codestream = content
        elif kind == b"uuid" and content[:16] == _XMP:
            header.xmp = content[16:]
        elif kind == b"uuid" and content[:16] == _EXIF:
            header.exif = content[16:]
    return header, codestream


@dataclass(frozen=True, slots=True)
class _Size:
    """The codestream's marker SIZ (section A.5.1)."""

    width: int
    height: int
    bits: tuple[int, ...]
    signed: bool
    steps: tuple[tuple[int, int], ...]  # of the components: across, down


def _read_size(codestream: bytes) -> _Size:
    if codestream[:4] != b"\xff\x4f\xff\x51":
        raise PhotoError("is a damaged JPEG 2000 (its codestream has no size)")
    right, bottom, left, top = struct.unpack_from(">4L", codestream, 8)
    (count,) = struct.unpack_from(">H", codestream, 40)
    parts = [codestream[42 + 3 * k : 45 + 3 * k] for k in range(count)]
    if not parts or len(parts[-1]) < 3 or right <= left or bottom <= top:
        raise PhotoError("is a damaged JPEG 2000 (its size is missing)")
    across, down = parts[0][1], parts[0][2]
    if not across or not down:
        raise PhotoError("is a damaged JPEG 2000 (its size is missing)")
    return _Size(
        width=-(-right // across) - -(-left // across),
        height=-(-bottom // down) - -(-top // down),
        bits=tuple((part[0] & 127) + 1 for part in parts),
        signed=any(part[0] & 128 for part in parts),
        steps=tuple((part[1], part[2]) for part in parts),
    )


def _decode(codestream: bytes, size: _Size) -> tuple[Values, bool]:
    """Components (H, W, C), all as large as the first, and whether YCbCr has become RGB."""
    dtype = "<u1" if max(size.bits) <= 8 else "<u2"
    values = openjpeg.decode(codestream, 0, reshape=False).view(dtype)
    count = size.height * size.width * len(size.bits)
    values = values[:count].reshape(size.height, size.width, -1)
    # what OpenJPEG takes for YCbCr, and the samplings that it converts
    chroma = size.steps[1:]
    converted = len(size.steps) == 3 and chroma in (((2, 2), (2, 2)), ((2, 1), (2, 1)))
    return values, converted and size.steps[0] == (1, 1)


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


def _arrange(values: Values, header: _Header, colours: int) -> tuple[Values, Values | None, bool]:
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


def read_jpeg2000(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads a JP2, JPX or bare codestream of 1 to 16 bits."""
    file.seek(0)
    body = file.read()
    bare = body[:4] == b"\xff\x4f\xff\x51"
    header, codestream = (_Header(), body) if bare else _read_boxes(body)
    if not codestream:
        raise PhotoError("is cut off: it has no codestream")
    size = _read_size(codestream)
    check_size(size.width, size.height, max_pixels)
    if len(set(size.bits)) > 1 or size.signed or max(size.bits) > 16:
        raise PhotoError(
            f"is JPEG 2000 of a kind that is not read (got {'signed ' if size.signed else ''}"
            f"components of {sorted(set(size.bits))} bits). Export 8 or 16 bits"
        )
    bits = size.bits[0]
    values, converted = _decode(codestream, size)
    if header.palette is not None:
        mapping = header.mapping or [(0, 1, k) for k in range(header.palette.shape[1])]
        values, bits = _through_palette(values, header, mapping, bits), header.palette_bits
    space = header.space
    guess = {1: _GREY, 2: _GREY}.get(values.shape[2], _SRGB)
    if space is None:
        space = _CMYK if header.icc and header.icc[16:20] == b"CMYK" else guess
    if space in (_ESRGB, _ESYCC) or space not in _CHANNELS:
        raise PhotoError(
            f"has colours of a kind that is not read (got JPEG 2000's colour space {space}). "
            "Export sRGB"
        )
    colours = _CHANNELS[space]
    if values.shape[2] < colours:
        raise PhotoError(f"is a damaged JPEG 2000 ({values.shape[2]} channels for {colours})")
    colour, alpha, premultiplied = _arrange(values, header, colours)
    if further := values.shape[2] - colours - (alpha is not None):
        notes.append(f"has {further} further channels, which were left out")
    if space == _SYCC and not converted:
        colour = _ycc_to_rgb(colour, bits)
    if space == _LAB:
        colour = _lab(colour, bits, header.lab)
    else:
        colour = scale_bits(colour, bits)
    if alpha is not None:
        alpha = scale_bits(alpha, bits)
        if alpha.dtype != colour.dtype:  # Lab has 16 bits
            alpha = alpha.astype(np.uint16) * np.uint16(257)
    if premultiplied and alpha is not None:
        colour = straight_alpha(colour, alpha)
    romm: ColourSpace | None = None
    if space == _ROMM:
        romm = from_gamma(1.8, _ROMM_PRIMARIES, "ROMM RGB")
    return Raster(
        values=colour,
        kind="JPEG2000",
        lab=space == _LAB,
        alpha=alpha,
        icc=header.icc,
        space=romm,
        xmp=header.xmp,
        dpi=header.dpi,
        notes=notes,
    )


def _through_palette(
    values: Values, header: _Header, mapping: list[tuple[int, int, int]], bits: int
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
