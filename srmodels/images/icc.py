"""ICC profiles: which can be used, and the conversion of 8 or 16 bits to sRGB.

8 bits go through LittleCMS. Pillow gives it no 16-bit colour, so 16 bits go through the profile's
own curves and matrix (ICC.1:2022, annex F.3), or through a grid of 8-bit nodes for a profile of
look-up tables, with linear interpolation between them.
"""

import io
import re
import struct
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from scipy.ndimage import map_coordinates

from srmodels.images.colour import Pixels
from srmodels.images.colour_spaces import (
    ColourSpace,
    from_cicp,
    linear_to_srgb,
    map_rows,
    xyz_to_linear_srgb,
)

__all__ = ["Profile", "parse_icc"]

_SAME = 2  # of 255: a profile that moves no colour further than this is sRGB
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_CHANNELS = {"L": 1, "RGB": 3, "CMYK": 4}
_NODES = {1: 256, 3: 256, 4: 52}  # per channel; all lie on 8-bit values
_HDR_NAME = re.compile(r"2100.*(PQ|HLG)", re.IGNORECASE)
Floats = NDArray[np.float32]


def _tags(icc: bytes) -> dict[bytes, bytes]:
    """The profile's tags (ICC.1:2022, section 7.3)."""
    (count,) = struct.unpack_from(">L", icc, 128)
    entries = (struct.unpack_from(">4sLL", icc, 132 + 12 * k) for k in range(min(count, 200)))
    return {name: icc[start : start + size] for name, start, size in entries}


def _curve(tag: bytes) -> Floats:
    """A curve's values at 65,536 steps (sections 10.6 and 10.18)."""
    x = np.linspace(0, 1, 65536)
    kind = tag[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">L", tag, 8)
        if count == 0:
            return x.astype(np.float32)
        values = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count == 1:
            return np.asarray(x ** (values[0] / 256), np.float32)
        return np.asarray(np.interp(x, np.linspace(0, 1, count), values / 65535), np.float32)
    if kind != b"para":
        raise ValueError("a curve of an unknown type")
    (form,) = struct.unpack_from(">H", tag, 8)
    number = (1, 3, 4, 5, 7)[form]
    given = (np.frombuffer(tag, ">i4", number, 12) / 65536).tolist()
    g, a, b, c, d, e, f = (given + [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0][number:])[:7]
    power = np.maximum(a * x + b, 0) ** g
    if form < 3:  # with the constant c below -b / a
        return np.asarray(power + (c if form == 2 else 0), np.float32)
    return np.asarray(np.where(x >= d, power + e, c * x + f), np.float32)


class Profile:
    """A profile that LittleCMS can use for images of one Pillow mode: L, RGB or CMYK."""

    def __init__(self, icc: bytes) -> None:
        """Raises PyCMSError or OSError if the profile is damaged, or for no kind of image."""
        self.icc = icc
        self._profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        self.space = self._profile.profile.xcolor_space.strip()
        self.mode = _MODES.get(self.space, "")
        self.name = ImageCms.getProfileDescription(self._profile).strip() or self.space
        if self.mode:
            _ = self._transform

    @cached_property
    def _transform(self) -> ImageCms.ImageCmsTransform:
        srgb, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        return ImageCms.buildTransform(self._profile, srgb, self.mode, "RGB", intent, flags)

    @cached_property
    def is_srgb(self) -> bool:
        """Whether it is an RGB profile that hardly moves a colour."""
        if self.mode != "RGB":
            return False
        steps = np.linspace(0, 255, 17).round().astype(np.uint8)
        grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
        grid = grid.reshape(-1, 17, 3)
        converted = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), self._transform))
        return bool(np.abs(converted.astype(np.int16) - grid).max() <= _SAME)

    @cached_property
    def hdr_space(self) -> ColourSpace | None:
        """PQ or HLG, if the profile says so by its tag cicp (section 9.2.17) or by its name."""
        tag = _tags(self.icc).get(b"cicp", b"")
        codes = (tag[8], tag[9]) if len(tag) >= 12 else None
        if codes is None and (named := _HDR_NAME.search(self.name)):
            codes = (9, 16 if named[1].upper() == "PQ" else 18)
        return from_cicp(*codes) if codes and codes[1] in (16, 18) else None

    @cached_property
    def _matrix(self) -> tuple[list[Floats], NDArray[np.float64]] | None:
        """The curves of a profile without look-up tables, and the matrix to linear sRGB."""
        tags = _tags(self.icc)
        names = (b"k",) if self.mode == "L" else (b"r", b"g", b"b")
        curves = [tags.get(name + b"TRC") for name in names]
        if self.mode == "CMYK" or any(name.startswith((b"A2B", b"D2B")) for name in tags):
            return None
        try:
            tables = [_curve(curve) for curve in curves if curve]
            if len(tables) != len(names):
                return None
            if self.mode == "L":
                return tables, np.ones((1, 1))
            xyz = [np.frombuffer(tags[name + b"XYZ"], ">i4", 3, 8) / 65536 for name in names]
        except (KeyError, ValueError, IndexError, struct.error):
            return None
        return tables, xyz_to_linear_srgb() @ np.array(xyz).T

    def to_srgb(self, values: Pixels) -> Pixels:
        """Converts (H, W, C) of the profile's mode to RGB, or grey to grey, of the same type."""
        channels, kept = (1, slice(1, 2)) if self.mode == "L" else (3, slice(None))
        if values.dtype == np.uint8:
            return self._convert_8bit(values)[..., kept]
        if self._matrix is None:
            return self._by_grid(values)[..., kept]
        tables, matrix = self._matrix
        turned = matrix.T.astype(np.float32)

        def convert(part: Pixels) -> NDArray[np.uint16]:
            light = [table[part[..., k]] for k, table in enumerate(tables)]
            return linear_to_srgb(np.stack(light, axis=-1) @ turned)

        return map_rows(values, convert, channels)

    def _convert_8bit(self, values: Pixels) -> NDArray[np.uint8]:
        image = Image.frombytes(
            self.mode, (values.shape[1], values.shape[0]), np.ascontiguousarray(values).tobytes()
        )
        return np.asarray(ImageCms.applyTransform(image, self._transform))

    def _by_grid(self, values: Pixels) -> Pixels:
        channels = values.shape[2]
        nodes = _NODES[channels]
        steps = np.linspace(0, 255, nodes).round().astype(np.uint8)
        grid = np.stack(np.meshgrid(*[steps] * channels, indexing="ij"), axis=-1)
        table = self._convert_8bit(grid.reshape(nodes, -1, channels))
        table = table.reshape(*[nodes] * channels, 3)

        def convert(part: Pixels) -> NDArray[np.uint16]:
            at = np.moveaxis(part.astype(np.float32) * ((nodes - 1) / 65535), -1, 0)
            options: dict[str, Any] = {"order": 1, "mode": "nearest", "output": np.float32}
            mapped = [map_coordinates(table[..., k], at, **options) for k in range(3)]
            return (np.stack(mapped, axis=-1) * 257 + 0.5).astype(np.uint16)

        return map_rows(values, convert, 3)


def parse_icc(icc: bytes | None, mode: str, notes: list[str]) -> Profile | None:
    """The profile of an image of mode L, RGB or CMYK; None, with a note, if it cannot be used.

    A grey image may have an RGB profile.
    """
    if not icc:
        return None
    try:
        profile = Profile(icc)
    except (ImageCms.PyCMSError, OSError):
        notes.append("its colour profile cannot be read; taken as sRGB")
        return None
    if profile.mode != mode and (profile.mode, mode) != ("RGB", "L"):
        notes.append(f"its colour profile is for {profile.space}, not for {mode}; taken as sRGB")
        return None
    return profile
