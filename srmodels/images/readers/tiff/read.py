"""TIFF: samples become grey, RGB, CMYK or Lab, with the alpha and the side data of the page."""

from functools import partial
from typing import BinaryIO

import numpy as np

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels, scale_bits, straight_alpha
from srmodels.images.colour_spaces import D50
from srmodels.images.limits import check_size
from srmodels.images.readers.raster import Raster, adobe_rgb_of, exif_of_tiff, orientation_of
from srmodels.images.readers.tiff.directories import (
    MAX_COUNTED,
    Directory,
    Tag,
    directories,
    full_size,
)
from srmodels.images.readers.tiff.samples import Samples, read_samples
from srmodels.images.readers.tiff.segments import Layout, layout_of

__all__ = ["read_tiff"]

# photometric interpretations (TIFF 6.0, section 8; libtiff's tiff.h) and their colour channels
_WHITE_IS_0, _RGB, _PALETTE, _CMYK, _YCBCR, _CIELAB, _ICCLAB = 0, 2, 3, 5, 6, 8, 9
_COLOURS = {0: 1, 1: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _CIELAB: 3, _ICCLAB: 3}
_REFUSED = {10: "ITULab", 32844: "LogL", 32845: "LogLuv", 4: "a mask"}
_FLOATING = (3, 6)  # sample formats
_SIGNED = (2, 5)
_JPEG = (6, 7)
_ASSOCIATED, _UNASSOCIATED = 1, 2


def _check_photometric(page: Directory, layout: Layout) -> int:
    """The number of colour channels; raises PhotoError for values that are no photograph's."""
    photometric = layout.photometric
    formats = page.integers(Tag.SAMPLE_FORMAT, (1,))
    if set(formats) & set(_FLOATING):
        raise PhotoError("has floating-point values. Export 8 or 16 bits")
    if layout.bits > 16 or set(formats) & set(_SIGNED):
        kind = "signed " if set(formats) & set(_SIGNED) else ""
        raise PhotoError(f"has {kind}values of {layout.bits} bits. Export 8 or 16 bits")
    if photometric == -1:  # required, and missing
        photometric = _RGB if layout.samples >= 3 else 1
    if photometric not in _COLOURS:
        name = _REFUSED.get(photometric, f"photometric interpretation {photometric}")
        raise PhotoError(f"has colours of a kind that is not read (got {name}). Export RGB")
    if photometric == _CMYK and page.integer(Tag.INK_SET, 1) != 1:
        raise PhotoError("has inks other than CMYK. Export RGB")
    colours = _COLOURS[photometric]
    if layout.samples < colours:
        raise PhotoError(f"is a damaged TIFF ({layout.samples} channels for {colours})")
    return colours


def _apply_palette(indices: Pixels, page: Directory, bits: int) -> Pixels:
    colours = np.array(page.integers(Tag.PALETTE), np.uint32)
    if len(colours) != 3 << bits:
        raise PhotoError("is a damaged TIFF (its palette is missing)")
    # some old writers stored 8 bits
    table = (colours if colours.max() < 256 else colours >> 8).astype(np.uint8)
    return np.moveaxis(table.reshape(3, -1)[:, indices], 0, -1)


def _ycbcr_to_rgb(values: Pixels, page: Directory) -> Pixels:
    """Sections 20 and 21; 8 bits."""
    weights = page.numbers(Tag.YCBCR_COEFFICIENTS)
    red, green, blue = weights if len(weights) == 3 and weights[1] else (0.299, 0.587, 0.114)
    given = page.numbers(Tag.REFERENCE_BLACK_WHITE)
    low, high, *chroma = given if len(given) == 6 else (0, 255, 128, 255, 128, 255)
    floats = values.astype(np.float32)
    y = (floats[..., 0] - low) * (255 / ((high - low) or 255))
    spans = [(zero, (top - zero) or 127) for zero, top in (chroma[:2], chroma[2:])]
    cb, cr = ((floats[..., k + 1] - zero) * (127 / span) for k, (zero, span) in enumerate(spans))
    r, b = y + cr * (2 - 2 * red), y + cb * (2 - 2 * blue)
    g = (y - blue * b - red * r) / green
    return (np.stack((r, g, b), axis=-1) + 0.5).clip(0, 255).astype(np.uint8)


def _offset_lab(values: Pixels, photometric: int) -> Pixels:
    """a* and b*, signed in CIELab (section 23), as an offset from -128."""
    half = 1 << (8 * values.itemsize - 1)
    if photometric == _CIELAB:
        values = values.copy()
        values[..., 1:] ^= values.dtype.type(half)
    elif values.itemsize == 2:  # ICC's own 16 bits: L* to 100 at 65280
        values = values.copy()
        values[..., 0] = np.minimum(values[..., 0] * (65535 / 65280), 65535)
    return values


def _white(page: Directory, layout: Layout) -> tuple[float, float] | None:
    """White of Lab: a tag's for CIELab, D50 without; None for other colours."""
    if layout.photometric not in (_CIELAB, _ICCLAB):
        return None
    given = page.numbers(Tag.WHITE_POINT)
    is_given = layout.photometric == _CIELAB and len(given) == 2 and 0 < min(given) < max(given) < 1
    return (given[0], given[1]) if is_given else D50


def _split_extras(
    values: Samples, page: Directory, colours: int, notes: list[str]
) -> tuple[Samples, Samples | None, bool]:
    """Colour, alpha, and whether colour is premultiplied (ExtraSamples, section 18)."""
    extra = values.shape[2] - colours
    kinds = (*page.integers(Tag.EXTRA_SAMPLES), *[0] * extra)[:extra]
    alphas = [k for k, kind in enumerate(kinds) if kind in (_ASSOCIATED, _UNASSOCIATED)]
    if len(kinds) > len(alphas[:1]):
        notes.append(f"has {len(kinds) - len(alphas[:1])} further channels, which were left out")
    if not alphas:
        return values[..., :colours], None, False
    alpha = values[..., colours + alphas[0]]
    return values[..., :colours], alpha, kinds[alphas[0]] == _ASSOCIATED


def _dpi(page: Directory) -> tuple[float, float] | None:
    per_unit = {2: 1.0, 3: 2.54}.get(page.integer(Tag.RESOLUTION_UNIT, 2))
    across, down = page.numbers(Tag.X_RESOLUTION), page.numbers(Tag.Y_RESOLUTION)
    if per_unit is None or not across or not down:
        return None
    return across[0] * per_unit, down[0] * per_unit


def _orientation(page: Directory, first: Directory, notes: list[str]) -> int:
    source = page if Tag.ORIENTATION in page else first
    number = source.integer(Tag.ORIENTATION, -1) if Tag.ORIENTATION in source else 1
    return orientation_of(lambda: {Tag.ORIENTATION: number}, notes)


def read_tiff(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads the first picture that is no thumbnail."""
    main, subs, count = directories(file)
    page = full_size(main, subs)
    if page is None:
        raise PhotoError("is a damaged TIFF, or one of an unknown kind")
    check_size(page.integer(Tag.WIDTH), page.integer(Tag.HEIGHT), max_pixels)
    if page is not main[0]:
        notes.append("its first picture is a thumbnail; the full-size one is read")
    elif count > 1:
        more = "over " if count == MAX_COUNTED else ""
        notes.append(f"the first of {more}{count} pictures")
    layout = layout_of(page)
    colours = _check_photometric(page, layout)
    samples, bits = read_samples(page, layout, notes), layout.bits
    values, alpha, premultiplied = _split_extras(samples, page, colours, notes)
    if layout.photometric == _PALETTE:
        values = _apply_palette(values[..., 0], page, bits)
        alpha = None if alpha is None else scale_bits(alpha, bits)
    elif layout.photometric == _YCBCR and layout.compression not in _JPEG:
        if bits != 8:
            raise PhotoError(f"has YCbCr samples that are not read (got {bits} bits)")
        values = _ycbcr_to_rgb(values, page)
    elif layout.photometric in (_CIELAB, _ICCLAB):
        if bits not in (8, 16):
            raise PhotoError(f"has Lab samples that are not read (got {bits} bits)")
        values = _offset_lab(values, layout.photometric)
    else:
        if layout.photometric == _WHITE_IS_0:
            values = np.bitwise_xor(values, values.dtype.type((1 << bits) - 1))
        values = scale_bits(values, bits)
        alpha = None if alpha is None else scale_bits(alpha, bits)
    if premultiplied and alpha is not None:
        values = straight_alpha(values, alpha)
    icc = page.raw(Tag.ICC) or main[0].raw(Tag.ICC)

    load_exif = partial(exif_of_tiff, file)
    return Raster(
        values=values,
        kind="TIFF",
        lab=_white(page, layout),
        alpha=alpha,
        icc=icc or None,
        space=None if icc or layout.photometric not in (_RGB, _YCBCR) else adobe_rgb_of(load_exif),
        orientation=_orientation(page, main[0], notes),
        load_exif=load_exif,
        xmp=page.raw(Tag.XMP) or main[0].raw(Tag.XMP) or None,
        dpi=_dpi(page),
        notes=notes,
    )
