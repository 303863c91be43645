"""HEIC and HEIF by pillow-heif's own API, which keeps 10 and 12 bits; through Pillow 8 are left."""

from typing import BinaryIO

import numpy as np
import pillow_heif

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels, scale_bits, straight_alpha
from srmodels.images.colour_spaces import from_cicp
from srmodels.images.limits import check_size
from srmodels.images.readers.boxes import primary_item, with_brand
from srmodels.images.readers.raster import Raster, exif_loader, no_exif, split_alpha

__all__ = ["read_heif"]

_KNOWN_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1")
# ISO/IEC 23008-12, annexes E to L, and 23001-17, which is uncompressed
_OTHER_CODECS = (b"avc1", b"evc1", b"j2k1", b"jpeg", b"unci", b"vvc1")


def _full_range(values: Pixels, bits: int) -> Pixels:
    """Grey of video's range, 16 to 235 of 8 bits (H.273, section 8.3), to all of its type."""
    step, full = 2.0 ** (bits - 8), 2.0**bits - 1
    top = np.iinfo(values.dtype).max
    levels = np.arange(top + 1) * (full / top)
    table = (levels - 16 * step) * (top / (219 * step))
    return np.asarray((table + 0.5).clip(0, top).astype(values.dtype)[values])


def read_heif(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads the primary image.

    libheif applies the file's boxes: crop, rotation, mirror. An EXIF orientation repeats them and
    is ignored (ISO/IEC 23008-12).
    """
    if (codec := primary_item(file).codec) in _OTHER_CODECS:
        raise PhotoError(f"is HEIF of a codec that is not read (got {codec.decode()}). Export JPEG")
    file = with_brand(file, b"heic", _KNOWN_BRANDS)
    container = pillow_heif.open_heif(file, convert_hdr_to_8bit=False)
    primary = container[container.primary_index]
    width, height = primary.size
    check_size(width, height, max_pixels)
    if len(container) > 1:
        notes.append(f"the primary one of {len(container)} pictures")
    info = primary.info
    icc, nclx = info.get("icc_profile"), info.get("nclx_profile") or {}
    space = None
    if not icc and nclx:
        codes = (nclx.get(key, 2) for key in ("color_primaries", "transfer_characteristics"))
        space = from_cicp(*codes)
    stored: Pixels = np.asarray(primary)
    bits = 8
    if stored.dtype == np.uint16:  # shifted up to 16 bits
        bits = info["bit_depth"]
        stored = scale_bits(stored >> (16 - bits), bits)
    values, alpha = split_alpha(stored)
    if values.shape[2] == 1 and not nclx.get("full_range_flag", 1):  # libheif converts colour only
        values = _full_range(values, bits)
    if alpha is not None and primary.premultiplied_alpha:
        values = straight_alpha(values, alpha)
    return Raster(
        values=values,
        kind="HEIF",
        alpha=alpha,
        icc=icc,
        space=space,
        load_exif=exif_loader(info["exif"]) if info.get("exif") else no_exif,
        xmp=info.get("xmp"),
        notes=notes,
    )
