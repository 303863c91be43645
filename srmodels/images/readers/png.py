"""PNG: checks every chunk's checksum, and decodes 8 and 16 bits twice as fast as Pillow.

W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 2025. kornia-rs knows grey,
RGB and RGBA only. Grey with alpha has the same bytes as grey of 16 bits, or RGBA of 8; a palette's
indices are those of grey; so these are decoded under another header. Pillow reads fewer bits.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import kornia_rs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels, scale_bits
from srmodels.images.colour_spaces import ColourSpace, from_cicp, from_gamma
from srmodels.images.limits import check_size
from srmodels.images.readers.inflate import count_inflated, inflate
from srmodels.images.readers.raster import Raster, exif_loader, no_exif, orientation_of

__all__ = ["read_png"]

# section 11.2.1: the header chunk, always the first
_HEADER = struct.Struct(">IIBBBBB")
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGBA: 4}
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), _PALETTE: (1, 2, 4, 8)}
_KORNIA_MODES = {_GREY: "mono", _RGB: "rgb", _RGBA: "rgba"}
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
# section 8.2, Adam7: first column and row, steps between columns and rows
_ONE_PASS = ((0, 0, 1, 1),)
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)),
    *((1, 0, 2, 2), (0, 1, 1, 2)),
)
_MAX_SIDE_DATA = 2**24  # bytes of a profile or of XMP, inflated
_MAX_EXCESS = 2**16  # bytes of pixels beyond the last row


@dataclass(frozen=True, slots=True)
class _Png:
    """A checked file: its header, and the places of its chunks."""

    body: bytes
    chunks: list[tuple[bytes, int, int]]  # kind, start and end of the content
    width: int
    height: int
    depth: int
    colour: int
    interlaced: int

    def first(self, kind: bytes) -> bytes | None:
        """The content of the first chunk of a kind."""
        return next(
            (self.body[start:end] for name, start, end in self.chunks if name == kind), None
        )

    def with_header(self, depth: int, colour: int) -> bytes:
        """The same pixels, and nothing else, under another header."""
        header = struct.pack(
            ">IIBBBBB", self.width, self.height, depth, colour, 0, 0, self.interlaced
        )
        parts = [self.body[:8], _chunk(b"IHDR", header)]
        parts += [
            self.body[start - 8 : end + 4]
            for kind, start, end in self.chunks
            if kind in (b"IDAT", b"IEND")
        ]
        return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(body: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The kind, start and end of the content of each chunk, up to the end chunk."""
    view, start = memoryview(body), 8
    while start < len(body):
        kind = body[start + 4 : start + 8]
        end = start + 12 + int.from_bytes(body[start : start + 4], "big")
        if end > len(body):
            raise PhotoError(f"is cut off inside its chunk {kind.decode('latin-1')}")
        if zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise PhotoError(f"is damaged: the checksum of its chunk {kind.decode('latin-1')}")
        yield kind, start + 8, end - 4
        if kind == b"IEND":
            return
        start = end
    raise PhotoError("is cut off: it has no end")


def _open(body: bytes, max_pixels: int) -> _Png:
    """Checks the header, the size, then all checksums."""
    if body[12:16] != b"IHDR" or len(body) < 29:
        raise PhotoError("is damaged (it has no header)")
    width, height, depth, colour, *methods, interlaced = _HEADER.unpack_from(body, 16)
    check_size(width, height, max_pixels)
    if (
        not width
        or not height
        or depth not in _DEPTHS.get(colour, (8, 16))
        or colour not in _CHANNELS
        or any(methods)
        or interlaced > 1
    ):
        raise PhotoError("is damaged (its header)")
    return _Png(body, list(_chunks(body)), width, height, depth, colour, interlaced)


def _check_rows(png: _Png) -> None:
    """Raises PhotoError if there are fewer rows than the header says, or far more data.

    Damaged data with valid checksums raises zlib.error.
    """
    bits = png.depth * _CHANNELS[png.colour]
    needed = 0
    for left, top, right, down in _ADAM7 if png.interlaced else _ONE_PASS:
        columns = (png.width - left + right - 1) // right
        rows = (png.height - top + down - 1) // down
        needed += rows * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    parts = (png.body[start:end] for kind, start, end in png.chunks if kind == b"IDAT")
    count, _ = count_inflated(parts, needed + _MAX_EXCESS)
    if count < needed:
        raise PhotoError("is cut off: its last rows are missing")
    if count > needed + _MAX_EXCESS:
        raise PhotoError("holds far more data than its header says")


def _decode(png: _Png, depth: int, colour: int) -> Pixels:
    """Decodes under a header of kornia-rs's kinds or of less than 8 bits, (H, W) or (H, W, C)."""
    mode, shape = _KORNIA_MODES[colour], (png.height, png.width)
    plain = (depth, colour) == (png.depth, png.colour)
    if depth >= 8:
        body = png.body if plain else png.with_header(depth, colour)
        decode = (
            kornia_rs.io.decode_image_png_u8 if depth == 8 else kornia_rs.io.decode_image_png_u16
        )
        try:
            pixels: Pixels = decode(body, shape, mode)
        except Exception:  # noqa: BLE001 - the rows are then counted, which gives the reason
            _check_rows(png)
            if depth == 16 and colour != _GREY:
                raise
        else:
            return pixels[..., 0] if mode == "mono" else pixels
    else:
        _check_rows(png)
    with Image.open(io.BytesIO(png.with_header(depth, colour)), formats=("PNG",)) as image:
        values = np.asarray(image)
    # Pillow spreads fewer bits over 8
    top = 1 if depth == 1 else 255 // ((1 << depth) - 1)
    return (values.astype(np.uint8) // top) if depth < 8 else values.astype(f"u{depth // 8}")


def _through_palette(indices: Pixels, png: _Png) -> tuple[Pixels, Pixels | None]:
    colours = np.frombuffer(png.first(b"PLTE") or b"", np.uint8)
    if not len(colours) or len(colours) % 3:
        raise PhotoError("is damaged (its palette)")
    table = np.zeros((256, 3), np.uint8)
    table[: len(colours) // 3] = colours.reshape(-1, 3)[:256]
    clear = png.first(b"tRNS")
    if clear is None:
        return table[indices], None
    opacity = np.full(256, 255, np.uint8)
    opacity[: len(clear)] = np.frombuffer(clear[:256], np.uint8)
    return table[indices], opacity[indices]


def _marked_as_clear(values: Pixels, png: _Png) -> NDArray[np.bool_] | None:
    """Where a pixel has the colour that tRNS marks (section 11.3.1.1), before scaling."""
    marked = png.first(b"tRNS")
    size = 2 * values.shape[2]
    if marked is None or len(marked) < size:
        return None
    colour = np.frombuffer(marked[:size], ">u2") & ((1 << png.depth) - 1)
    clear = (values == colour).all(axis=-1)
    return clear if clear.any() else None


def _pixels(png: _Png) -> tuple[Pixels, Pixels | None]:
    """Colour (H, W, 1 or 3) and alpha (H, W), scaled to all of 8 or 16 bits."""
    depth, colour = png.depth, png.colour
    if colour == _PALETTE:
        return _through_palette(_decode(png, depth, _GREY), png)
    if colour == _GREY_ALPHA and depth == 8:
        pairs = _decode(png, 16, _GREY)
        return (pairs >> 8).astype(np.uint8)[..., None], (pairs & 255).astype(np.uint8)
    if colour == _GREY_ALPHA:
        pairs = np.ascontiguousarray(_decode(png, 8, _RGBA)).view(">u2").astype(np.uint16)
        return pairs[..., :1], pairs[..., 1]
    values = _decode(png, depth, colour)
    values = values[..., None] if values.ndim == 2 else values
    if colour == _RGBA:
        return values[..., :3], values[..., 3]
    clear = _marked_as_clear(values, png)
    values = scale_bits(values, depth)
    if clear is None:
        return values, None
    return values, np.where(clear, 0, np.iinfo(values.dtype).max).astype(values.dtype)


def _inflated(data: bytes, what: str, notes: list[str]) -> bytes | None:
    try:
        return inflate(data, _MAX_SIDE_DATA)
    except (zlib.error, PhotoError):
        notes.append(f"its {what} cannot be read; left out")
        return None


def _colour_space(png: _Png, notes: list[str]) -> tuple[bytes | None, ColourSpace | None]:
    """A profile or a space, by the order of section 13.15: cICP, iCCP, sRGB, gAMA and cHRM."""
    if (codes := png.first(b"cICP")) and len(codes) >= 4:
        if codes[3] != 1:
            raise PhotoError("has values of video's narrow range. Export full range")
        return None, from_cicp(codes[0], codes[1])
    if profile := png.first(b"iCCP"):
        icc = _inflated(profile.partition(b"\0")[2][1:], "colour profile", notes)
        if icc:
            return icc, None
    if png.first(b"sRGB"):
        return None, None
    gamma, points = png.first(b"gAMA"), png.first(b"cHRM")
    exponent = int.from_bytes(gamma[:4], "big") if gamma else 0
    primaries = None
    if points and len(points) >= 32:
        numbers = [value / 100_000 for value in struct.unpack_from(">8L", points)]
        white, *others = zip(numbers[::2], numbers[1::2], strict=True)
        if all(0 < y <= 1 and 0 < x < 1 for x, y in (white, *others)):
            primaries = (*others, white)
        else:
            notes.append("its chromaticities are none; taken as sRGB's")
    if not exponent and primaries is None:
        return None, None
    return None, from_gamma(100_000 / exponent if exponent else None, primaries, "gAMA and cHRM")


def _xmp(png: _Png, notes: list[str]) -> bytes | None:
    for kind, start, end in png.chunks:
        if kind == b"iTXt" and png.body.startswith(b"XML:com.adobe.xmp\0", start):
            compressed = png.body[start + 18]
            text = png.body[start + 20 : end].split(b"\0", 2)[-1]
            return _inflated(text, "XMP data", notes) if compressed else text
    return None


def read_png(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads the still image of a PNG."""
    file.seek(0)
    png = _open(file.read(), max_pixels)
    if animation := png.first(b"acTL"):
        notes.append(f"the first of {int.from_bytes(animation[:4], 'big')} pictures")
    icc, space = _colour_space(png, notes)
    values, alpha = _pixels(png)
    exif = png.first(b"eXIf")
    load_exif = exif_loader(exif) if exif else no_exif
    dpi = None
    if (resolution := png.first(b"pHYs")) and len(resolution) >= 9 and resolution[8] == 1:
        dpi = tuple(value * 0.0254 for value in struct.unpack_from(">LL", resolution))
    return Raster(
        values=values,
        kind="PNG",
        alpha=alpha,
        icc=icc,
        space=space,
        orientation=orientation_of(load_exif, notes),
        load_exif=load_exif,
        xmp=_xmp(png, notes),
        dpi=dpi,
        notes=notes,
    )
