"""Every format, depth, profile and orientation becomes upright 8-bit sRGB."""

import io
from pathlib import Path

import kornia_rs
import numpy as np
import openjpeg
import pillow_heif
import pytest
import skimage
from imageio.v3 import imread
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngImageFile

from srmodels.errors import PhotoError
from srmodels.images.readers.decode import decode, read
from tests.images.pictures import chunk, encoded, noise_16bit, pattern, png, rounded, tiff16, write

LOSSLESS = {
    "a.png": ("PNG", {}),
    "a.tif": ("TIFF", {}),
    "lzw.tif": ("TIFF", {"compression": "tiff_lzw"}),
    "a.bmp": ("BMP", {}),
    "a.webp": ("WEBP", {"lossless": True}),
    "a.jp2": ("JPEG2000", {}),
    "a.ppm": ("PPM", {}),
}

JPEGS = (
    *({"subsampling": 0}, {"subsampling": 1}, {"subsampling": 2}, {"keep_rgb": True}),
    *({"progressive": True}, {"quality": 100}, {"restart_marker_blocks": 3}),
)


def adobe_rgb() -> bytes:
    folder = Path(skimage.__file__).parent / "data"
    with Image.open(folder / "rocket.jpg") as image:
        return image.info["icc_profile"]


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_keep_every_value(name, tmp_path):
    kind, options = LOSSLESS[name]
    path = write(tmp_path, name, encoded(pattern(), kind, **options))
    assert (decode(path) == pattern()).all()
    assert (imread(path, plugin="pillow") == pattern()).all()


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_lossy_formats_have_imageios_values(kind, tmp_path):
    data = encoded(pattern(), kind, quality=90)
    assert (decode(write(tmp_path, "a", data)) == imread(data, plugin="pillow")).all()


def test_pixels_can_be_written_to(tmp_path):
    assert decode(write(tmp_path, "a.png", encoded(pattern(), "PNG"))).flags.writeable


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = pattern()[:, :, 0]
    pixels = decode(write(tmp_path, "a.png", encoded(grey, "PNG")))
    assert (pixels == grey[:, :, None]).all()
    assert pixels.shape == (96, 128, 3)


def test_grey_with_an_rgb_profile_stays_grey(tmp_path):
    grey = Image.fromarray(pattern()[:, :, 0])
    data = encoded(grey, "TIFF", icc_profile=adobe_rgb())
    pixels = decode(write(tmp_path, "a.tif", data))
    assert (pixels.min(axis=2) == pixels.max(axis=2)).all()


def test_a_palette_becomes_its_colours(tmp_path):
    image = Image.fromarray(pattern()).quantize(64)
    pixels = decode(write(tmp_path, "a.png", encoded(image, "PNG")))
    assert (pixels == np.asarray(image.convert("RGB"))).all()


@pytest.mark.parametrize("options", JPEGS, ids=str)
@pytest.mark.parametrize("size", [(96, 128), (97, 131), (1, 1), (7, 200)])
def test_a_jpeg_has_imageios_values(size, options, tmp_path):
    data = encoded(pattern(*size), "JPEG", **options)
    assert (decode(write(tmp_path, "a.jpg", data)) == imread(data, plugin="pillow")).all()


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_another_mode_has_pillows_values(mode, tmp_path):
    data = encoded(Image.fromarray(pattern()).convert(mode), "JPEG")
    want = Image.open(io.BytesIO(data)).convert("RGB")
    assert (decode(write(tmp_path, "a.jpg", data)) == np.asarray(want)).all()


def test_cmyk_becomes_rgb(tmp_path):
    image = Image.new("CMYK", (64, 64), (0, 255, 255, 0))
    pixels = decode(write(tmp_path, "a.jpg", encoded(image, "JPEG", quality=100)))
    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", ["grey", "palette"])
def test_a_png_of_few_bits_becomes_its_greys_or_colours(kind, bits, interlaced, tmp_path):
    values = pattern(21, 35)[..., :1] >> (8 - bits)
    colours = pattern(1, 1 << bits)[0]
    palette = colours.tobytes() if kind == "palette" else b""
    path = write(tmp_path, "a.png", png(values, bits, palette=palette, interlaced=interlaced))
    want = colours[values[..., 0]] if palette else values * (255 // ((1 << bits) - 1))
    assert (decode(path) == want).all()


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_8_bit_png_keeps_every_value_by_either_decoder(
    channels, interlaced, tmp_path, monkeypatch
):
    values = np.dstack([pattern(37, 53), np.full((37, 53), 255, np.uint8)])
    values = values[..., -channels:] if channels in (2, 4) else values[..., :channels]
    want = np.broadcast_to(values[..., : 1 if channels < 3 else 3], (37, 53, 3))
    path = write(tmp_path, "a.png", png(values, 8, interlaced=interlaced))
    assert (decode(path) == want).all()
    monkeypatch.setattr(kornia_rs.io, "decode_image_png_u8", None)
    monkeypatch.setattr(kornia_rs.io, "decode_image_png_u16", None)
    assert (decode(path) == want).all()


def test_a_plain_png_is_not_decoded_by_pillow(tmp_path, monkeypatch):
    monkeypatch.setattr(PngImageFile, "load", None)
    assert (decode(write(tmp_path, "a.png", png(pattern(), 8))) == pattern()).all()


def test_an_orientation_after_the_pixels_of_a_png_counts(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    data = png(pattern(), 8, after=chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")))
    assert (decode(write(tmp_path, "a.png", data)) == np.rot90(pattern(), -1)).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_png_is_rounded_not_truncated(channels, tmp_path):
    values = noise_16bit(channels=channels)
    pixels = decode(write(tmp_path, "a.png", png(values, 16)))
    assert (pixels == rounded(values)).all()


@pytest.mark.parametrize("channels", [2, 4])
def test_sixteen_bit_png_loses_an_opaque_alpha(channels, tmp_path):
    values = noise_16bit(channels=channels)
    values[..., -1] = 65535
    pixels = decode(write(tmp_path, "a.png", png(values, 16)))
    assert (pixels == rounded(values[..., :-1])).all()


@pytest.mark.parametrize("channels", [2, 4])
def test_sixteen_bit_png_with_a_hole_is_refused(channels, tmp_path):
    values = noise_16bit(channels=channels) | 0
    values[..., -1] = 65535
    values[3, 4, -1] = 0
    with pytest.raises(PhotoError, match="transparent"):
        decode(write(tmp_path, "a.png", png(values, 16)))


@pytest.mark.parametrize(
    "options",
    [
        {"byteorder": "<"},
        {"byteorder": ">"},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"compression": "zlib", "byteorder": ">"},
        {"tile": (16, 16)},
        {"rowsperstrip": 7},
    ],
    ids=str,
)
def test_sixteen_bit_tiff_is_rounded_not_truncated(options, tmp_path):
    data = tiff16(noise_16bit(), photometric="rgb", **options)
    assert (decode(write(tmp_path, "a.tif", data)) == rounded(noise_16bit())).all()


def test_sixteen_bit_tiff_with_a_plane_per_colour_is_read(tmp_path):
    planes = np.ascontiguousarray(noise_16bit().transpose(2, 0, 1))
    data = tiff16(planes, photometric="rgb", planarconfig="separate")
    assert (decode(write(tmp_path, "a.tif", data)) == rounded(noise_16bit())).all()


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_2000_of_more_than_8_bits_is_rounded(channels, bits, tmp_path):
    values = (noise_16bit(64, 64, channels) >> (16 - bits)).squeeze()
    kind = {1: 2, 3: 1}[channels]  # monochrome, RGB
    data = openjpeg.encode(
        values, codec_format=1, photometric_interpretation=kind, bits_stored=bits
    )
    want = np.floor(values * (255 / ((1 << bits) - 1)) + 0.5).reshape(64, 64, channels)
    assert (decode(write(tmp_path, "a.jp2", bytes(data))) == want).all()


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_sixteen_bit_grey_tiff_is_rounded(photometric, tmp_path):
    values = noise_16bit(channels=1)[..., 0]
    want = rounded(values)[..., None]
    pixels = decode(write(tmp_path, "a.tif", tiff16(values, photometric=photometric)))
    assert (pixels == (want if photometric == "minisblack" else 255 - want)).all()


def test_of_several_pages_the_first_is_read_and_noted(tmp_path):
    first, second = Image.fromarray(pattern()), Image.new("RGB", (128, 96))
    data = encoded(first, "TIFF", save_all=True, append_images=[second])
    found = read(write(tmp_path, "a.tif", data))
    assert (found.pixels == pattern()).all()
    assert found.notes == ("the first of 2 pictures",)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_opaque_alpha_is_dropped(mode, tmp_path):
    image = Image.fromarray(pattern()).convert(mode)
    want = image.convert("RGB" if mode == "RGBA" else "L").convert("RGB")
    assert (decode(write(tmp_path, "a.png", encoded(image, "PNG"))) == np.asarray(want)).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_a_transparent_pixel_is_refused_with_a_reason(kind, tmp_path):
    image = Image.fromarray(pattern()).convert("RGBA")
    image.putpixel((5, 5), (0, 0, 0, 0))
    data = encoded(image, kind, **({"lossless": True} if kind == "WEBP" else {}))
    with pytest.raises(PhotoError, match="partly transparent"):
        decode(write(tmp_path, "a", data))


def test_a_transparent_colour_of_a_png_is_refused(tmp_path):
    image = Image.fromarray(pattern())
    data = encoded(image, "PNG", transparency=image.getpixel((3, 3)))
    with pytest.raises(PhotoError, match="partly transparent"):
        decode(write(tmp_path, "a.png", data))


@pytest.mark.parametrize(("place", "refused"), [((0, 0), True), (None, False)])
def test_a_transparent_colour_of_16_bits_is_compared_in_16_bits(place, refused, tmp_path):
    values = noise_16bit() | 1
    clear = values[place] if place else values[0, 0] - 1
    data = png(values, 16, before=chunk(b"tRNS", clear.astype(">u2").tobytes()))
    path = write(tmp_path, "a.png", data)
    if refused:
        with pytest.raises(PhotoError, match="transparent"):
            decode(path)
    else:
        assert (decode(path) == rounded(values)).all()


def test_a_transparent_grey_of_16_bits_is_refused(tmp_path):
    values = noise_16bit(channels=1)
    data = png(values, 16, before=chunk(b"tRNS", values[5, 5].astype(">u2").tobytes()))
    with pytest.raises(PhotoError, match="transparent"):
        decode(write(tmp_path, "a.png", data))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "TIFF-lzw", "WEBP", "AVIF"])
def test_an_exif_orientation_is_applied_exactly_once(kind, orientation, tmp_path):
    exif = Image.Exif()
    exif[274] = orientation
    options = {"compression": "tiff_lzw"} if kind == "TIFF-lzw" else {}
    data = encoded(pattern(), kind.split("-")[0], exif=exif, **options)
    want = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    pixels = decode(write(tmp_path, "a", data))
    assert (pixels == np.asarray(want)).all()
    assert (pixels.shape[0] > pixels.shape[1]) == (orientation >= 5)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_a_16_bit_tiff_is_turned_too(planes, orientation, tmp_path):
    image = Image.fromarray(rounded(noise_16bit()))
    image.getexif()[274] = orientation
    want = np.asarray(ImageOps.exif_transpose(image))
    values = (
        noise_16bit()
        if planes == "contig"
        else np.ascontiguousarray(noise_16bit().transpose(2, 0, 1))
    )
    tag = [(274, 3, 1, orientation, True)]
    data = tiff16(values, photometric="rgb", planarconfig=planes, extratags=tag)
    assert (decode(write(tmp_path, "a.tif", data)) == want).all()


def test_a_wide_profile_is_converted_to_srgb(tmp_path):
    stored = pattern()
    # the oracle: Adobe RGB (1998), sections 4.3.1.2 and 4.3.4; sRGB's matrix and curve
    linear = (stored / 255.0) ** (563 / 256)
    to_xyz = [(0.57667, 0.18556, 0.18823), (0.29734, 0.62736, 0.07529), (0.02703, 0.07069, 0.99134)]
    to_srgb = [(3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570)]
    linear = (linear @ np.array(to_xyz).T @ np.array(to_srgb).T).clip(0, 1)
    want = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    found = read(write(tmp_path, "a.png", encoded(stored, "PNG", icc_profile=adobe_rgb())))
    assert np.abs(found.pixels - want).max() <= 2
    assert found.notes == ("converted from Adobe RGB (1998) to sRGB",)


def test_an_srgb_profile_changes_nothing(tmp_path):
    with Image.open(Path(skimage.__file__).parent / "data" / "chelsea.png") as image:
        data = encoded(pattern(), "PNG", icc_profile=image.info["icc_profile"])
    found = read(write(tmp_path, "a.png", data))
    assert (found.pixels == pattern()).all()
    assert not found.notes


def test_an_unreadable_profile_is_noted_and_the_picture_kept(tmp_path):
    data = encoded(pattern(), "PNG", icc_profile=b"no profile at all")
    found = read(write(tmp_path, "a.png", data))
    assert (found.pixels == pattern()).all()
    assert "cannot be read" in found.notes[0]


def heic(pixels, **options):
    buffer = io.BytesIO()
    picture = pillow_heif.from_pillow(Image.fromarray(pixels))
    picture.save(buffer, quality=-1, chroma=444, matrix_coefficients=0, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_is_turned_exactly_once(orientation, tmp_path):
    exif = Image.Exif()
    exif[274] = orientation
    image = Image.fromarray(pattern())
    image.getexif()[274] = orientation
    data = heic(pattern(), exif=exif.tobytes())
    want = np.asarray(ImageOps.exif_transpose(image))
    assert (decode(write(tmp_path, "a.heic", data)) == want).all()


def test_of_several_pictures_of_a_heic_the_primary_one_is_read_and_noted(tmp_path):
    both = pillow_heif.from_pillow(Image.new("RGB", (128, 96)))
    both.add_from_pillow(Image.fromarray(pattern()))
    buffer = io.BytesIO()
    both.save(buffer, quality=-1, chroma=444, matrix_coefficients=0, primary_index=1)
    found = read(write(tmp_path, "a.heic", buffer.getvalue()))
    assert (found.pixels == pattern()).all()
    assert found.notes == ("the primary one of 2 pictures",)


def test_ten_bits_of_a_heic_are_rounded(tmp_path):
    ten = (noise_16bit(64, 64) >> 6).astype(np.uint16)
    buffer = io.BytesIO()
    picture = pillow_heif.from_bytes("RGB;16", (64, 64), (ten << 6).tobytes())
    picture.save(buffer, quality=-1, chroma=444, matrix_coefficients=0)
    pixels = decode(write(tmp_path, "a.heic", buffer.getvalue()))
    assert (pixels == np.floor(ten * (255 / 1023) + 0.5)).all()


@pytest.mark.parametrize(("curve", "name"), [(16, "PQ"), (18, "HLG")])
def test_a_high_dynamic_range_heic_is_refused_with_a_reason(curve, name, tmp_path):
    data = heic(pattern(), transfer_characteristics=curve)
    with pytest.raises(PhotoError, match=name):
        decode(write(tmp_path, "a.heic", data))


@pytest.mark.parametrize("name", ["a.png", "a.nef", "a.heic"])
def test_a_jpeg_under_another_name_is_read_and_noted(name, tmp_path):
    found = read(write(tmp_path, name, encoded(pattern(), "JPEG")))
    assert found.kind == "JPEG"
    assert found.notes == ("is JPEG in spite of its name",)


@pytest.mark.slow
def test_a_real_phones_heic_comes_upright(shared):
    assert decode(shared / "data" / "mixed" / "iphone_15_pro.heic").shape == (4032, 3024, 3)
