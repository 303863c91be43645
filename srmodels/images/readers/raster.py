"""What every reader returns: the picture as stored, with all that says how it looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO, Literal

import numpy as np
from PIL import ExifTags, Image

from srmodels.images.colour import Pixels
from srmodels.images.colour_spaces import ADOBE_RGB, ColourSpace, Hdr, space_to_srgb
from srmodels.images.file_types import Kind
from srmodels.images.icc import Profile, parse_icc
from srmodels.images.lab import lab_to_srgb
from srmodels.images.orientation import apply_orientation

__all__ = [
    "Raster",
    "adobe_rgb_of",
    "exif_loader",
    "exif_of_tiff",
    "no_exif",
    "orientation_of",
    "split_alpha",
]

LoadExif = Callable[[], Image.Exif]


def no_exif() -> Image.Exif:
    """For files without EXIF data."""
    return Image.Exif()


def exif_loader(data: bytes) -> LoadExif:
    """Parses EXIF data, with or without its JPEG header, once and when asked for."""

    @cache
    def load() -> Image.Exif:
        exif = Image.Exif()
        exif.load(data)
        return exif

    return load


def exif_of_tiff(file: BinaryIO) -> Image.Exif:
    """The EXIF data of an open TIFF's first directory."""
    exif = Image.Exif()
    file.seek(0)
    exif.load_from_fp(file)
    return exif


@dataclass(slots=True, kw_only=True)
class Raster:
    """A decoded picture.

    Attributes:
        values: (H, W, C), all of 8 or 16 bits: 1 grey, 3 RGB or Lab (L* to 100 at the type's top,
            a* and b* as 256ths + 128 of 16 bits), 4 CMYK (0 is no ink).
        kind: The format by content: RAW, HEIF, JPEG, PNG and so on.
        lab: The chromaticity of white, if the three channels are CIE L*a*b*.
        alpha: (H, W), the same type, 0 transparent; colour is not premultiplied.
        icc: The embedded profile.
        space: Said by other means than a profile; None: sRGB.
        orientation: EXIF orientation, 1 to 8, still to be applied.
        load_exif: May raise anything.
        xmp: The packet.
        dpi: Pixels per inch, horizontal and vertical, as stored.
    """

    values: Pixels
    kind: Kind
    lab: tuple[float, float] | None = None
    alpha: Pixels | None = None
    icc: bytes | None = None
    space: ColourSpace | None = None
    orientation: int = 1
    load_exif: LoadExif = no_exif
    xmp: object = None
    dpi: object = None
    notes: list[str] = field(default_factory=list)

    @property
    def mode(self) -> Literal["L", "RGB", "CMYK", "LAB"]:
        """Pillow's name for the colour channels."""
        if self.lab:
            return "LAB"
        return {1: "L", 3: "RGB", 4: "CMYK"}[self.values.shape[2]]  # type: ignore[return-value]

    def upright(self) -> None:
        """Applies the orientation."""
        self.values = apply_orientation(self.values, self.orientation)
        if self.alpha is not None:
            self.alpha = apply_orientation(self.alpha, self.orientation)
        self.orientation = 1

    def profile(self) -> Profile | None:
        """The embedded profile, if it can be used; otherwise a note says so."""
        return None if self.lab else parse_icc(self.icc, self.mode, self.notes)

    def to_srgb(self, profile: Profile | None, *, hdr: Hdr) -> None:
        """Converts the colours to sRGB, in the same depth: grey (H, W, 1) or RGB (H, W, 3).

        `profile` is that of `profile()`. Raises PhotoError for a high dynamic range if `hdr` is
        "refuse".
        """
        mode, notes = self.mode, self.notes
        space = (profile.hdr_space if profile else None) or self.space
        if self.lab:
            self.values = lab_to_srgb(self.values, self.lab)
            notes.append("converted from CIELab to sRGB")
        elif profile and not (space and space.is_hdr):
            if not profile.is_srgb:
                if profile.mode == "RGB":  # of a grey image, too
                    self.values = np.broadcast_to(self.values, (*self.values.shape[:2], 3))
                self.values = profile.to_srgb(self.values)
                notes.append(f"converted from {profile.name} to sRGB")
        elif mode == "CMYK":
            self.values = _cmyk_to_rgb(self.values)
            notes.append("is CMYK without a usable profile; converted as if inks were ideal")
        elif space:
            self.values = space_to_srgb(self.values, space, notes, hdr=hdr)
        self.icc = self.space = None
        self.lab = None


def _cmyk_to_rgb(values: Pixels) -> Pixels:
    """Ideal inks: (1 - ink) * (1 - black), as Pillow rounds it."""
    top = int(np.iinfo(values.dtype).max)
    ink, paper = values[..., :3].astype(np.uint32), top - values[..., 3:].astype(np.uint32)
    covered = (ink * paper + top // 2) // top
    return np.asarray(paper - np.minimum(covered, paper), values.dtype)


def split_alpha(values: Pixels) -> tuple[Pixels, Pixels | None]:
    """Splits (H, W), or (H, W, C) of 1 to 4 channels, into (H, W, 1 or 3) and alpha (H, W)."""
    if values.ndim == 2:
        return values[..., None], None
    if values.shape[2] in (2, 4):
        return values[..., :-1], values[..., -1]
    return values, None


def orientation_of(load_exif: Callable[[], Mapping[int, object]], notes: list[str]) -> int:
    """EXIF orientation, 1 to 8; 1 with a note if it cannot be read."""
    try:
        value = load_exif().get(ExifTags.Base.Orientation, 1)
        while isinstance(value, bytes | tuple | list):  # of another type than the standard's
            (value,) = value
        number = int(str(value))
    except Exception:  # noqa: BLE001 - damaged EXIF makes Pillow raise anything
        notes.append("its orientation cannot be read; left as stored")
        return 1
    if number not in range(1, 9):
        if number:
            notes.append(f"its orientation is none (got {number}); left as stored")
        return 1
    return number


def adobe_rgb_of(load_exif: LoadExif) -> ColourSpace | None:
    """Adobe RGB, if EXIF declares it: ColorSpace 2 or 65535, or R03 (DCF 2.0, section 3.2.1)."""
    try:
        exif = load_exif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
        colours = details.get(ExifTags.Base.ColorSpace)
        has_index = ExifTags.IFD.Interop in details
        index = exif.get_ifd(ExifTags.IFD.Interop).get(1) if has_index else None
    except Exception:  # noqa: BLE001 - as above
        return None
    index = index.decode("latin-1") if isinstance(index, bytes) else index
    if str(index).startswith("R03") or (colours in (2, 65535) and not index):
        return ADOBE_RGB
    return None
