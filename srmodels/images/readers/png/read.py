"""PNG decoded by kornia-rs, twice as fast as by Pillow.

kornia-rs knows grey, RGB and RGBA only. Grey with alpha has the same bytes as grey of 16 bits, or
RGBA of 8; a palette's indices are those of grey; so these are decoded under another header. Pillow
reads fewer bits.
"""

import io
import struct
from typing import BinaryIO

import kornia_rs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels, scale_bits
from srmodels.images.readers.png.chunks import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    Png,
    check_excess,
    check_rows,
    open_png,
)
from srmodels.images.readers.png.side_data import colour_space, xmp_packet
from srmodels.images.readers.raster import Raster, exif_loader, no_exif, orientation_of

__all__ = ["read_png"]

_KORNIA_MODES = {GREY: "mono", RGB: "rgb", RGBA: "rgba"}


def _decode(png: Png, depth: int, colour: int) -> Pixels:
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
        except Exception:  # kornia-rs raises nothing more special
            check_rows(png)
            if depth == 16 and colour != GREY:
                raise
        else:
            return pixels[..., 0] if mode == "mono" else pixels
    else:
        check_rows(png)
    with Image.open(io.BytesIO(png.with_header(depth, colour)), formats=("PNG",)) as image:
        values = np.asarray(image)
    # Pillow spreads fewer bits over 8
    top = 1 if depth == 1 else 255 // ((1 << depth) - 1)
    return (values.astype(np.uint8) // top) if depth < 8 else values.astype(f"u{depth // 8}")


def _through_palette(indices: Pixels, png: Png) -> tuple[Pixels, Pixels | None]:
    colours = np.frombuffer(png.first(b"PLTE") or b"", np.uint8)
    if not len(colours) or len(colours) % 3:
        raise PhotoError("is damaged (its palette)")
    if int(indices.max()) >= len(colours) // 3:
        raise PhotoError(f"is damaged (an index beyond its palette of {len(colours) // 3} colours)")
    table = colours.reshape(-1, 3)
    clear = png.first(b"tRNS")
    if clear is None:
        return table[indices], None
    opacity = np.full(256, 255, np.uint8)
    opacity[: len(clear)] = np.frombuffer(clear[:256], np.uint8)
    return table[indices], opacity[indices]


def _marked_as_clear(values: Pixels, png: Png) -> NDArray[np.bool_] | None:
    """Where a pixel has the colour that tRNS marks (section 11.3.1.1), before scaling."""
    marked = png.first(b"tRNS")
    size = 2 * values.shape[2]
    if marked is None or len(marked) < size:
        return None
    colour = np.frombuffer(marked[:size], ">u2") & ((1 << png.depth) - 1)
    clear = (values == colour).all(axis=-1)
    return clear if clear.any() else None


def _pixels(png: Png) -> tuple[Pixels, Pixels | None]:
    """Colour (H, W, 1 or 3) and alpha (H, W), scaled to all of 8 or 16 bits."""
    depth, colour = png.depth, png.colour
    if colour == PALETTE:
        return _through_palette(_decode(png, depth, GREY), png)
    if colour == GREY_ALPHA and depth == 8:
        pairs = _decode(png, 16, GREY)
        return (pairs >> 8).astype(np.uint8)[..., None], (pairs & 255).astype(np.uint8)
    if colour == GREY_ALPHA:
        pairs = np.ascontiguousarray(_decode(png, 8, RGBA)).view(">u2").astype(np.uint16)
        return pairs[..., :1], pairs[..., 1]
    values = _decode(png, depth, colour)
    values = values[..., None] if values.ndim == 2 else values
    if colour == RGBA:
        return values[..., :3], values[..., 3]
    clear = _marked_as_clear(values, png)
    values = scale_bits(values, depth)
    if clear is None:
        return values, None
    return values, np.where(clear, 0, np.iinfo(values.dtype).max).astype(values.dtype)


def read_png(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads the still image of a PNG."""
    file.seek(0)
    png = open_png(file.read(), max_pixels, notes)
    if animation := png.first(b"acTL"):
        notes.append(f"the first of {int.from_bytes(animation[:4], 'big')} pictures")
    check_excess(png)
    icc, space = colour_space(png, notes)
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
        xmp=xmp_packet(png, notes),
        dpi=dpi,
        notes=notes,
    )
