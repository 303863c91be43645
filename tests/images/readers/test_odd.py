"""Odd pictures, one file per kind: what is right, or a refusal that says why."""

import numpy as np
import pytest
from PIL import Image

from srmodels.errors import PhotoError
from srmodels.images.readers.decode import decode, read
from srmodels.images.readers.source_image import read_image

SRGB_OF_ADOBE = (117, 126, 124)
MEANS = {
    "ga16.tif": (127.5, 127.5, 127.5),
    "grey16-bigendian-miniswhite.tif": (127.5, 127.5, 127.5),
    "grey16-named.dng": (124, 124, 124),
    "rgb16-packbits-named.dng": (127.5, 127.5, 127.5),
    "cmyk16-planar.tif": (112, 112, 113),
    "lab8-planar.tif": (91, 108, 115),
    "rgb16-planar-lzw.tif": (127, 127, 128),
    "thumb-first.tif": (127, 127, 128),
    "icc-adobergb.jp2": SRGB_OF_ADOBE,
    "jpeg-adobergb-r03.jpg": SRGB_OF_ADOBE,
    "png-chrm-adobe.png": (116, 127, 124),
    "avif-p3-8.avif": (118, 124, 120),
    "png-cicp-p3.png": (118, 124, 120),
    "png-gama1.png": (175, 175, 183),
    "bt601.heic": (127, 127, 128),
    "icc-notags.jpg": (127, 127, 128),
    "exif-or6-byte.jpg": (127, 127, 128),
    "grey-linear-icc.png": (174.5, 174.5, 174.5),
    "v5-icc.bmp": (0, 201, 0),
}
REFUSED = {
    "alpha-1555.bmp": "partly transparent",
    "ga8-planar-deflate.tif": "alpha down to 90",
    "png-grey2-trns.png": "partly transparent",
    "premultiplied.heic": "partly transparent",
    "avif-hlg-10.avif": "high dynamic range image .got HLG",
    "avif-pq-10.avif": "high dynamic range image .got PQ",
    "png-cicp-pq.png": "high dynamic range image .got PQ",
    "jpeg-in-tiff-missing.tif": "a part of it is missing",
}


@pytest.fixture
def odd(shared):
    folder = shared / "data" / "odd"
    if not folder.is_dir():
        pytest.skip("needs the odd pictures")
    return folder


def test_every_file_has_an_expectation(odd):
    tested = {*MEANS, *REFUSED, "clap.avif", "cdef-bgr.jp2", "grey4bit.jp2", "odd-420.jp2"}
    tested |= {"rle4-odd-runs.bmp", "rle4-odd-runs.right.png", "t-nodpi.tif"}
    names = {path.name for path in odd.iterdir()}
    assert {name for name in names if not name.endswith((".py", ".md"))} == tested


@pytest.mark.parametrize("name", MEANS)
def test_the_colours_are_right(name, odd):
    np.testing.assert_allclose(decode(odd / name).mean(axis=(0, 1)), MEANS[name], atol=0.7)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_reason(name, odd):
    with pytest.raises(PhotoError, match=REFUSED[name]):
        decode(odd / name)


@pytest.mark.parametrize("name", [name for name in REFUSED if "dynamic" in REFUSED[name]])
def test_a_high_dynamic_range_is_tone_mapped_on_request_and_for_upscaling(name, odd):
    found = read(odd / name, hdr="tonemap")
    assert any("BT.2446 method A" in note for note in found.notes)
    assert np.ptp(found.pixels) == 255
    image = read_image(odd / name)
    np.testing.assert_array_equal(image.colour, found.pixels)


@pytest.mark.parametrize("name", MEANS)
def test_upscaling_reads_the_same_picture(name, odd):
    image = read_image(odd / name)
    if image.metadata.icc:
        image = image.without_profile()
    values = image.colour / (257 if image.colour.dtype == np.uint16 else 1)
    pixels = np.broadcast_to(values, (*values.shape[:2], 3))
    assert np.abs(pixels - decode(odd / name)).max() <= 0.51


def test_upscaling_keeps_alpha_and_straight_colour(odd):
    image = read_image(odd / "premultiplied.heic")
    assert image.colour[0, 0].tolist() == [0, 0, 255]
    assert image.alpha[0, 0] == 100
    assert read_image(odd / "alpha-1555.bmp").alpha[0].tolist() == [0] * 8 + [255] * 8
    assert read_image(odd / "ga8-planar-deflate.tif").alpha.min() == 90


def test_details(odd):
    assert decode(odd / "clap.avif").shape == (64, 80, 3)
    assert decode(odd / "cdef-bgr.jp2")[0, 0].tolist() == [0, 0, 255]
    assert decode(odd / "grey4bit.jp2").max() == 255
    assert read_image(odd / "icc-adobergb.jp2").metadata.icc
    assert read_image(odd / "t-nodpi.tif").metadata.dpi is None
    right = np.asarray(Image.open(odd / "rle4-odd-runs.right.png").convert("RGB"))
    np.testing.assert_array_equal(decode(odd / "rle4-odd-runs.bmp"), right)


def test_subsampled_chroma_of_an_odd_size_is_smooth(odd):
    # its encoder shifted the red difference by four samples: a jump at the right and lower edges
    inner = decode(odd / "odd-420.jp2")[4:-4, 4:-12].astype(int)
    assert np.abs(np.diff(inner, axis=0)).max() <= 1
    assert np.abs(np.diff(inner, axis=1)).max() <= 20
