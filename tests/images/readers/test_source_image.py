"""A picture with all that belongs to it: depth, grey, alpha, profile and metadata are kept."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import ExifTags, Image, ImageCms

from srmodels.errors import PhotoError
from srmodels.images.readers.decode import decode
from srmodels.images.readers.source_image import read_image
from tests.images.pictures import chunk, dng, encoded, noise_16bit, pattern, png, tiff16, write

XMP = b'<x:xmpmeta><a tiff:Orientation="6" tiff:ImageWidth="9" dc:title="t"/></x:xmpmeta>'


def adobe_rgb():
    with Image.open(Path(skimage.__file__).parent / "data" / "rocket.jpg") as image:
        return image.info["icc_profile"]


def exif(orientation=1):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Maker"
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base.ISOSpeedRatings: 100, ExifTags.Base.ExifImageWidth: 9, 0x927C: b"secret"}
    )
    return exif.tobytes()


def exif_of(image):
    exif = Image.Exif()
    exif.load(image.metadata.exif)
    return exif


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bit_png_keeps_every_value(tmp_path, channels):
    values = noise_16bit(channels=channels)
    image = read_image(write(tmp_path, "a.png", png(values, 16)))
    colours = 1 if channels < 3 else 3
    np.testing.assert_array_equal(image.colour, values[..., :colours])
    if channels in (2, 4):
        np.testing.assert_array_equal(image.alpha, values[..., -1])
    else:
        assert image.alpha is None


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_sixteen_bit_tiff_keeps_every_value(tmp_path, planar):
    values = noise_16bit()
    stored = values if planar == "contig" else np.moveaxis(values, -1, 0)
    data = tiff16(stored, photometric="rgb", planarconfig=planar)
    np.testing.assert_array_equal(read_image(write(tmp_path, "a.tif", data)).colour, values)


def test_grey_stays_grey(tmp_path):
    grey = pattern()[..., 0]
    image = read_image(write(tmp_path, "a.png", encoded(grey, "PNG")))
    np.testing.assert_array_equal(image.colour[..., 0], grey)
    assert image.colour.shape[2] == 1


def test_alpha_is_apart(tmp_path):
    rgba = np.dstack((pattern(), pattern()[..., 1]))
    image = read_image(write(tmp_path, "a.png", encoded(rgba, "PNG")))
    np.testing.assert_array_equal(np.dstack((image.colour, image.alpha)), rgba)


def test_a_colour_that_is_marked_as_clear_becomes_alpha(tmp_path):
    values = noise_16bit()
    values[3, 4] = (7, 8, 9)
    marked = chunk(b"tRNS", np.array((7, 8, 9), ">u2").tobytes())
    image = read_image(write(tmp_path, "a.png", png(values, 16, before=marked)))
    assert np.argwhere(image.alpha == 0).tolist() == [[3, 4]]


def test_a_palette_becomes_rgb(tmp_path):
    palette = Image.fromarray(pattern()).quantize(32)
    image = read_image(write(tmp_path, "a.png", encoded(palette, "PNG")))
    np.testing.assert_array_equal(image.colour, np.asarray(palette.convert("RGB")))


def test_cmyk_becomes_srgb(tmp_path):
    path = write(tmp_path, "a.jpg", encoded(Image.fromarray(pattern()).convert("CMYK"), "JPEG"))
    image = read_image(path)
    np.testing.assert_array_equal(image.colour, decode(path))
    assert image.metadata.icc is None


def test_a_wide_gamut_picture_keeps_its_values_and_its_profile(tmp_path):
    data = encoded(pattern(), "PNG", icc_profile=adobe_rgb())
    image = read_image(write(tmp_path, "a.png", data))
    np.testing.assert_array_equal(image.colour, pattern())
    assert image.metadata.icc == adobe_rgb()


def test_grey_marked_as_srgb_stays_grey_without_the_mark(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(pattern()[..., 0], "PNG", icc_profile=srgb)
    image = read_image(write(tmp_path, "a.png", data))
    assert (image.colour.shape[2], image.metadata.icc) == (1, None)


def test_a_broken_profile_is_left_out_and_noted(tmp_path):
    data = encoded(pattern(), "JPEG", icc_profile=b"no profile" * 20)
    image = read_image(write(tmp_path, "a.jpg", data))
    assert image.metadata.icc is None
    assert image.notes == ("its colour profile cannot be read; taken as sRGB",)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_result_is_upright_and_its_exif_says_so(tmp_path, kind):
    path = write(tmp_path, "a", encoded(pattern(), kind, exif=exif(6)))
    image = read_image(path)
    np.testing.assert_array_equal(image.colour, decode(path))
    assert exif_of(image).get(ExifTags.Base.Orientation, 1) == 1
    assert exif_of(image)[ExifTags.Base.Make] == "Maker"
    assert dict(exif_of(image).get_ifd(ExifTags.IFD.Exif)) == {ExifTags.Base.ISOSpeedRatings: 100}


@pytest.mark.parametrize(
    "broken", [b"Exif\0\0nothing", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"z" * 9]
)
def test_broken_exif_does_not_stop_a_picture(tmp_path, broken):
    image = read_image(write(tmp_path, "a.jpg", encoded(pattern(), "JPEG", exif=broken)))
    assert image.colour.shape == (96, 128, 3)
    assert image.metadata.exif is None


def test_xmp_says_upright_and_no_size(tmp_path):
    image = read_image(write(tmp_path, "a.jpg", encoded(pattern(), "JPEG", xmp=XMP)))
    assert image.metadata.xmp == (b'<x:xmpmeta><a tiff:Orientation="1" dc:title="t"/></x:xmpmeta>')


def test_xmp_about_a_gain_map_is_left_out(tmp_path):
    packet = b'<x xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"/>'
    image = read_image(write(tmp_path, "a.jpg", encoded(pattern(), "JPEG", xmp=packet)))
    assert image.metadata.xmp is None
    assert "its XMP data is about other pictures in the file; left out" in image.notes


def test_resolution_is_kept(tmp_path):
    image = read_image(write(tmp_path, "a.jpg", encoded(pattern(), "JPEG", dpi=(300, 150))))
    assert image.metadata.dpi == (300, 150)


def test_raw_is_developed_to_sixteen_bits(tmp_path):
    linear = np.full((64, 64, 3), 0.2)
    image = read_image(write(tmp_path, "a.dng", dng(linear)))
    assert (image.colour.dtype, image.kind) == (np.uint16, "RAW")
    np.testing.assert_array_equal((image.colour / 257).round(), decode(tmp_path / "a.dng"))


def test_heif_of_ten_bits_uses_all_of_sixteen(tmp_path):
    import pillow_heif

    values = np.full((64, 64, 3), 65535, np.uint16)
    heif = pillow_heif.from_bytes("RGB;16", (64, 64), values.tobytes())
    file = io.BytesIO()
    heif.save(file, quality=-1, chroma=444)
    image = read_image(write(tmp_path, "a.heic", file.getvalue()))
    assert (image.colour.dtype, image.colour.max()) == (np.uint16, 65535)


def test_a_bomb_is_refused_on_its_header_s_word(tmp_path):
    header = np.array([100000, 100000], ">u4").tobytes() + bytes([8, 2, 0, 0, 0])
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(PhotoError, match=r"a\.png: has too many pixels \(got 100000x100000"):
        read_image(write(tmp_path, "a.png", data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_truncated_file_is_refused(tmp_path, kind):
    data = encoded(pattern(), kind)
    with pytest.raises(PhotoError, match=r"^a: is "):
        read_image(write(tmp_path, "a", data[: len(data) * 2 // 3]))
