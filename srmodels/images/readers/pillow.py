"""GIF, WebP and JPEG, whose headers Pillow reads, opened through imageio."""

from typing import BinaryIO

import numpy as np
from imageio.core.request import Request
from imageio.plugins.pillow import PillowPlugin
from imageio.v3 import imopen
from PIL import Image, ImageFile, UnidentifiedImageError

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels
from srmodels.images.file_types import Kind
from srmodels.images.limits import check_size
from srmodels.images.readers.jpeg import BAD_PROFILE, NotCheckableError, read_jpeg
from srmodels.images.readers.raster import (
    Raster,
    adobe_rgb_of,
    exif_loader,
    no_exif,
    orientation_of,
    split_alpha,
)

__all__ = ["read_gif", "read_jpeg_file", "read_webp"]


class _PillowReader(PillowPlugin):  # type: ignore[misc]
    """imageio's "pillow" plugin, limited to three formats; the readers decode, not its `read`.

    `read` fails on damaged EXIF, which is noted here.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._image = Image.open(request.get_file(), formats=("GIF", "JPEG", "WEBP"))

    @property
    def image(self) -> ImageFile.ImageFile:
        """The image, not yet loaded."""
        return self._image

    def close(self) -> None:
        """Leaves the image and the caller's file open."""
        self._request.finish()


def _open(file: BinaryIO, max_pixels: int) -> ImageFile.ImageFile:
    file.seek(0)
    try:
        image = imopen(file, "r", plugin=_PillowReader).image
    except OSError as error:  # imageio puts its own error around Pillow's
        if isinstance(error.__cause__, UnidentifiedImageError):
            raise PhotoError("is damaged (its header)") from None
        raise error.__cause__ or error from None
    check_size(image.width, image.height, max_pixels)
    return image


def _raster(
    image: Image.Image, kind: Kind, values: Pixels, notes: list[str], alpha: Pixels | None = None
) -> Raster:
    exif = image.info.get("exif")
    load_exif = exif_loader(exif) if exif else no_exif
    icc = image.info.get("icc_profile")
    return Raster(
        values=values,
        kind=kind,
        alpha=alpha,
        icc=icc,
        space=adobe_rgb_of(load_exif) if exif and not icc else None,
        orientation=orientation_of(load_exif, notes) if exif else 1,
        load_exif=load_exif,
        xmp=image.info.get("xmp"),
        notes=notes,
    )


def read_webp(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads the first picture of a WebP."""
    with _open(file, max_pixels) as image:
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            notes.append(f"the first of {frames} pictures")
        values, alpha = split_alpha(np.asarray(image))
        return _raster(image, "WEBP", values, notes, alpha)


def read_gif(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads the first picture of a GIF."""
    with _open(file, max_pixels) as image:
        clear = "transparency" in image.info
        tiles = getattr(image, "tile", [])
        frame = tiles[0].extents if tiles else None
        mode = image.mode if image.mode == "L" and not clear else "RGBA" if clear else "RGB"
        values, alpha = split_alpha(np.asarray(image.convert(mode)))
        if frame and frame != (0, 0, *image.size):  # nothing is drawn around the first frame
            inside = np.zeros(values.shape[:2], np.uint8)
            inside[frame[1] : frame[3], frame[0] : frame[2]] = 255
            alpha = inside if alpha is None else np.minimum(alpha, inside)
        if getattr(image, "is_animated", False):
            notes.append("the first of several pictures")
        return _raster(image, "GIF", values, notes, alpha)


def _jfif_dpi(image: Image.Image) -> object:
    per_unit = {1: 1.0, 2: 2.54}.get(image.info.get("jfif_unit", 0))
    density = image.info.get("jfif_density")
    return [value * per_unit for value in density] if per_unit and density else None


def read_jpeg_file(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads the first picture of a JPEG file."""
    with _open(file, max_pixels) as image:
        file.seek(0)
        try:
            pixels = read_jpeg(file.read(), image.mode, notes)
        except NotCheckableError:
            notes.append("is a JPEG of an unusual build, which was not checked for damage")
            pixels = np.asarray(image)
        else:
            if image.mode == "CMYK":  # stored inverted, as Adobe does
                pixels = 255 - pixels
        if BAD_PROFILE in notes:
            image.info.pop("icc_profile", None)
        values = pixels[..., None] if pixels.ndim == 2 else pixels
        raster = _raster(image, "JPEG", values, notes)
        raster.dpi = _jfif_dpi(image)
        return raster
