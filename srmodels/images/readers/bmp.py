"""BMP: palettes, bit masks with alpha, run lengths, and the colour spaces of its headers 4 and 5.

Microsoft, "Bitmap Storage", "BITMAPV5HEADER" and "Bitmap Compression" (Windows GDI).
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels, round_to_8, scale_to_16bit
from srmodels.images.colour_spaces import ColourSpace, from_gamma
from srmodels.images.limits import check_size
from srmodels.images.readers.raster import Raster

__all__ = ["read_bmp"]

_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHA_BITFIELDS = 0, 1, 2, 3, 6
_FILE_HEADER, _CORE, _INFO, _V4, _V5 = 14, 12, 40, 108, 124
_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_D65 = (0.3127, 0.3290, 0.3583)
_CALIBRATED, _LINKED, _EMBEDDED = 0, 0x4C494E4B, 0x4D424544


@dataclass(frozen=True, slots=True)
class _Bmp:
    body: bytes
    header: int  # bytes of the information header
    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    masks: tuple[int, ...]  # red, green, blue, alpha
    palette: NDArray[np.uint8]  # (entries, 3)
    start: int  # of the pixels


def _damaged(what: str) -> PhotoError:
    return PhotoError(f"is damaged ({what})")


def _open(body: bytes) -> _Bmp:
    (start,) = struct.unpack_from("<L", body, 10)
    (header,) = struct.unpack_from("<L", body, _FILE_HEADER)
    if header == _CORE:
        width, height, planes, bits = struct.unpack_from("<HHHH", body, 18)
        compression, colours = _RGB, 0
    elif header >= 16:
        fields = body[18 : _FILE_HEADER + header].ljust(36, b"\0")
        width, height, planes, bits, compression = struct.unpack_from("<llHHL", fields)
        (colours,) = struct.unpack_from("<L", fields, 28)
    else:
        raise _damaged(f"got a header of {header} bytes")
    if header in (16, 64) and compression > _RLE4:  # OS/2's numbers mean something else
        compression = -1
    at = _FILE_HEADER + header
    masks = _MASKS.get(bits, ())
    if compression in (_BITFIELDS, _ALPHA_BITFIELDS) and bits in _MASKS:
        has_alpha = header >= 56 or compression == _ALPHA_BITFIELDS
        masks = (*struct.unpack_from("<3L", body, 54), 0)
        if has_alpha:
            masks = struct.unpack_from("<4L", body, 54)
        at += (16 if has_alpha else 12) if header == _INFO else 0
        compression = _RGB
    known = {_RGB: (1, 2, 4, 8, 16, 24, 32), _RLE8: (8,), _RLE4: (4,)}
    if planes != 1 or bits not in known.get(compression, ()):
        raise PhotoError(
            f"is BMP of a kind that is not read (got {bits} bits, compression {compression})"
        )
    palette = np.zeros((0, 3), np.uint8)
    if bits <= 8:
        size = 3 if header == _CORE else 4
        count = min(colours or 1 << bits, 256, max(0, (start - at) // size))
        entries = np.frombuffer(body, np.uint8, count * size, at).reshape(count, size)
        palette = entries[:, 2::-1]
    return _Bmp(
        body, header, width, abs(height), height < 0, bits, compression, masks, palette, start
    )


def _rows(bmp: _Bmp) -> NDArray[np.uint8]:
    stride = (bmp.width * bmp.bits + 31) // 32 * 4
    if bmp.start + stride * bmp.height > len(bmp.body):
        raise PhotoError("is cut off: its last rows are missing")
    rows = np.frombuffer(bmp.body, np.uint8, stride * bmp.height, bmp.start)
    return rows.reshape(bmp.height, stride)


def _run_lengths(bmp: _Bmp, notes: list[str]) -> NDArray[np.uint8]:
    """Decodes RLE8 or RLE4 to indices, from the bottom up; skipped pixels have index 0.

    ImageMagick's rows go on to a boundary of 32 bits.
    """
    data, half = bmp.body[bmp.start :], bmp.compression == _RLE4
    stride = (bmp.width * bmp.bits + 31) // 32 * 32 // bmp.bits
    result = np.zeros((bmp.height, stride), np.uint8)
    is_padded = False
    at = x = y = 0
    while at + 1 < len(data):
        count, value = data[at], data[at + 1]
        at += 2
        if count == 0 and value == 0:
            x, y = 0, y + 1
            continue
        if count == 0 and value == 1:
            return result[:, : bmp.width]
        if count == 0 and value == 2:
            if at + 2 > len(data):
                break
            x, y, at = x + data[at], y + data[at + 1], at + 2
            continue
        if count:
            pair = (value >> 4, value & 15) if half else (value, value)
            run = np.array(pair * ((count + 1) // 2), np.uint8)[:count]
        else:  # literal, to a boundary of 16 bits
            count = value
            size = (count + 1) // 2 if half else count
            raw = np.frombuffer(data[at : at + size], np.uint8)
            run = (np.stack((raw >> 4, raw & 15), axis=-1).ravel() if half else raw)[:count]
            at += size + size % 2
        if len(run) < count or y >= bmp.height or x + count > stride:
            raise _damaged("a run of its pixels goes beyond its edge")
        result[y, x : x + count] = run
        x += count
        if x > bmp.width and not is_padded:
            is_padded = True
            notes.append("its rows go on beyond its edge, to a boundary of 32 bits")
    if y < bmp.height - 1 or (y == bmp.height - 1 and x < bmp.width):
        raise PhotoError("is cut off: its last rows are missing")
    return result[:, : bmp.width]


def _masked(words: NDArray[np.uint32], mask: int) -> tuple[NDArray[np.uint16], int]:
    """The values under a mask, and how many bits they have."""
    shift = (mask & -mask).bit_length() - 1
    bits = (mask >> shift).bit_length()
    if (mask >> shift) + 1 != 1 << bits or bits > 16:
        raise PhotoError(f"is BMP of a kind that is not read (got a bit mask of {mask:#x})")
    return ((words & np.uint32(mask)) >> np.uint32(shift)).astype(np.uint16), bits


def _through_masks(bmp: _Bmp, notes: list[str]) -> tuple[Pixels, Pixels | None]:
    words = _rows(bmp).view("<u2" if bmp.bits == 16 else "<u4")[:, : bmp.width].astype(np.uint32)
    if not all(bmp.masks[:3]):
        raise _damaged("a bit mask is missing")
    parts = [_masked(words, mask) for mask in bmp.masks if mask]
    deep = max(bits for _, bits in parts) > 8
    scale = scale_to_16bit if deep else round_to_8
    scaled: list[Pixels] = [scale(values, bits) for values, bits in parts]
    alpha = scaled[3] if bmp.masks[3] else None
    if alpha is not None and not alpha.any():
        alpha = None
        notes.append("its alpha is zero everywhere; taken as opaque")
    return np.stack(scaled[:3], axis=-1), alpha


def _through_palette(bmp: _Bmp, indices: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if int(indices.max()) >= len(bmp.palette):
        raise _damaged(f"an index beyond its palette of {len(bmp.palette)} colours")
    return np.asarray(bmp.palette[indices])


def _pixels(bmp: _Bmp, notes: list[str]) -> tuple[Pixels, Pixels | None]:
    """Colour (H, W, 3) and alpha, in the order of the file's rows."""
    if bmp.compression != _RGB:
        return _through_palette(bmp, _run_lengths(bmp, notes)), None
    if bmp.bits == 24:
        packed = _rows(bmp)[:, : 3 * bmp.width]
        return packed.reshape(bmp.height, bmp.width, 3)[..., ::-1], None
    if bmp.bits in _MASKS:
        return _through_masks(bmp, notes)
    rows = _rows(bmp)
    if bmp.bits < 8:
        per_byte = 8 // bmp.bits
        shifts = np.arange(per_byte - 1, -1, -1, dtype=np.uint8) * np.uint8(bmp.bits)
        mask = np.uint8((1 << bmp.bits) - 1)
        rows = (rows[..., None] >> shifts & mask).reshape(bmp.height, -1)
    return _through_palette(bmp, rows[:, : bmp.width]), None


def _colour_space(bmp: _Bmp, notes: list[str]) -> tuple[bytes | None, ColourSpace | None]:
    if bmp.header < _V4:
        return None, None
    (kind,) = struct.unpack_from("<L", bmp.body, _FILE_HEADER + 56)
    if kind == _EMBEDDED and bmp.header >= _V5:
        start, size = struct.unpack_from("<LL", bmp.body, _FILE_HEADER + 112)
        return bmp.body[_FILE_HEADER + start : _FILE_HEADER + start + size] or None, None
    if kind == _LINKED:
        notes.append("its colour profile is another file; taken as sRGB")
    if kind != _CALIBRATED:
        return None, None
    points = np.array(struct.unpack_from("<9l", bmp.body, _FILE_HEADER + 60), float).reshape(3, 3)
    gammas = [value / 65536 for value in struct.unpack_from("<3L", bmp.body, _FILE_HEADER + 96)]
    sums = points.sum(axis=1)
    if not (sums > 0).all() or abs(np.linalg.det(points / sums[:, None])) < 1e-4:
        return None, None  # writers leave zeros
    # XYZ add up to white's; some writers store chromaticities, which add up to 1 each
    white = _D65 if np.allclose(sums, sums[0], rtol=0.02) else points.sum(axis=0)
    xyz = np.vstack((points, white))
    primaries = tuple((float(x / (x + y + z)), float(y / (x + y + z))) for x, y, z in xyz)
    gammas = [1 / gamma if 0 < gamma < 1 else gamma for gamma in gammas]  # some store 1 / 2.2
    if max(gammas) - min(gammas) > 0.01 or not 0.2 < gammas[0] < 6:
        notes.append("its gamma differs by channel, or is none; taken as sRGB's")
        gammas = [2.2]
    return None, from_gamma(gammas[0], primaries, "BMP's calibrated RGB")


def read_bmp(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads a Windows or OS/2 bitmap."""
    file.seek(0)
    body = file.read()
    try:
        bmp = _open(body)
    except (struct.error, ValueError):
        raise PhotoError("is cut off: its header is missing") from None
    if bmp.width <= 0 or not bmp.height:
        raise _damaged("its size")
    check_size(bmp.width, bmp.height, max_pixels)
    values, alpha = _pixels(bmp, notes)
    if not bmp.top_down:
        values, alpha = values[::-1], None if alpha is None else alpha[::-1]
    icc, space = _colour_space(bmp, notes)
    grey = bmp.bits <= 8 and bool((bmp.palette == bmp.palette[:, :1]).all())
    dpi = None
    if bmp.header >= _INFO:
        across, down = struct.unpack_from("<ll", body, _FILE_HEADER + 24)
        dpi = (across * 0.0254, down * 0.0254)
    return Raster(
        values=values[..., :1] if grey else values,
        kind="BMP",
        alpha=alpha,
        icc=icc,
        space=space,
        dpi=dpi,
        notes=notes,
    )
