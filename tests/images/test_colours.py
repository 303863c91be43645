"""Colours become sRGB's: by profile, by code points, and from a high dynamic range."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image, ImageCms

from srmodels.errors import PhotoError
from srmodels.images.colour_spaces import ADOBE_RGB, from_cicp, from_gamma, space_to_srgb
from srmodels.images.icc import Profile, parse_icc


def adobe_rgb():
    with Image.open(Path(skimage.__file__).parent / "data" / "rocket.jpg") as image:
        return image.info["icc_profile"]


def grid(bits):
    steps = np.linspace(0, (1 << bits) - 1, 17).round().astype(f"u{bits // 8}")
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(17, -1, 3)


def with_lookup_tables():
    """A profile whose colours LittleCMS finds in a table: Lab's own to RGB, written as a link."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def test_sixteen_bits_have_littlecms_colours_without_steps():
    profile = Profile(adobe_rgb())
    small, large = profile.to_srgb(grid(8)), profile.to_srgb(grid(8).astype(np.uint16) * 257)
    assert large.dtype == np.uint16
    assert np.abs(large / 257 - small).max() <= 1
    slope = np.arange(20000, 30000, dtype=np.uint16)[None, :, None] * np.ones(3, np.uint16)
    assert len(np.unique(profile.to_srgb(slope)[..., 1])) > 9000


def test_the_grid_for_lookup_tables_has_the_curves_colours():
    profile, values = Profile(adobe_rgb()), grid(8).astype(np.uint16) * 257
    assert np.abs(profile._by_grid(values) / 257 - profile.to_srgb(values) / 257).max() <= 1


def test_adobe_rgb_by_name_is_adobe_rgb_by_profile():
    by_profile = Profile(adobe_rgb()).to_srgb(grid(8))
    by_name = space_to_srgb(grid(8), ADOBE_RGB, [], hdr="refuse")
    assert np.abs(by_name.astype(int) - by_profile).max() <= 2


def test_srgb_and_what_stands_for_it_is_not_touched():
    for codes in ((1, 13), (2, 2), (1, 1), (6, 6), (5, 13)):
        assert from_cicp(*codes).is_srgb
    assert from_gamma(1 / 0.45455, None, "").is_srgb
    notes = []
    assert space_to_srgb(grid(8), from_cicp(1, 13), notes, hdr="refuse") is not None
    assert notes == []


@pytest.mark.parametrize(
    ("codes", "value", "want"),
    [
        ((1, 8), (0.5, 0.5, 0.5), 188),  # linear: sRGB's curve at 0.5
        ((12, 13), (0.5, 0.5, 0.5), 128),  # white and greys of P3 are sRGB's
        ((9, 13), (0.5, 0.5, 0.5), 128),
        ((11, 13), (0.5, 0.5, 0.5), 128),  # another white: adapted
    ],
)
def test_greys_stay_grey(codes, value, want):
    pixel = (np.array(value) * 65535).astype(np.uint16)[None, None]
    found = space_to_srgb(pixel, from_cicp(*codes), [], hdr="refuse")[0, 0] / 257
    np.testing.assert_allclose(found, want, atol=0.7)


def test_p3_red_is_beyond_srgb_and_clipped():
    red = np.uint8([[[255, 0, 0]]])
    assert space_to_srgb(red, from_cicp(12, 13), [], hdr="refuse").tolist() == [[[255, 0, 0]]]
    # Display P3 (0.9175, 0.2003, 0.1386) is sRGB's red
    red = np.uint16([[[0.9175 * 65535, 0.2003 * 65535, 0.1386 * 65535]]])
    found = space_to_srgb(red, from_cicp(12, 13), [], hdr="refuse")[0, 0] / 65535
    np.testing.assert_allclose(found, (1, 0, 0), atol=0.01)


@pytest.mark.parametrize("transfer", [16, 18])
def test_a_high_dynamic_range_is_refused_or_mapped(transfer):
    space, ramp = from_cicp(9, transfer), np.arange(0, 65536, 64, dtype=np.uint16)
    grey = ramp[None, :, None] * np.ones(3, np.uint16)
    with pytest.raises(PhotoError, match="high dynamic range"):
        space_to_srgb(grey, space, [], hdr="refuse")
    notes = []
    mapped = space_to_srgb(grey, space, notes, hdr="tonemap")[0].astype(int)
    assert "BT.2446 method A" in notes[0]
    assert np.ptp(mapped, axis=1).max() <= 64  # grey
    assert (np.diff(mapped[:, 1]) >= 0).all()
    assert mapped[0, 1] == 0
    assert mapped[-1, 1] > 65400


def test_diffuse_white_of_pq_is_bright_and_not_white():
    # 203 cd/m2 (ITU-R BT.2408) is 0.5807 in PQ
    white = np.full((1, 1, 3), round(0.5807 * 65535), np.uint16)
    mapped = space_to_srgb(white, from_cicp(9, 16), [], hdr="tonemap")[0, 0] / 65535
    np.testing.assert_allclose(mapped, 0.67, atol=0.01)  # by hand from the report's equations


@pytest.mark.parametrize("codes", [(10, 13), (1, 9), (3, 13), (200, 1)])
def test_unknown_code_points_are_refused(codes):
    with pytest.raises(PhotoError, match=r"H\.273"):
        from_cicp(*codes)


def test_a_profile_that_cannot_be_used_is_noted():
    for profile, reason in (
        (b"nothing" * 40, "cannot be read"),
        (with_lookup_tables(), "is for Lab, not for RGB"),
    ):
        notes = []
        assert parse_icc(profile, "RGB", notes) is None
        assert reason in notes[0]


def test_a_grey_profile_converts_grey(tmp_path):
    from srmodels.images.readers.source_image import read_image

    body = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert body[16:20] == b"RGB "
    image = Image.fromarray(np.full((8, 8), 100, np.uint8))
    file = io.BytesIO()
    image.save(file, "PNG", icc_profile=adobe_rgb())
    (tmp_path / "a.png").write_bytes(file.getvalue())
    source = read_image(tmp_path / "a.png")
    assert source.metadata.icc  # a grey image with an RGB profile becomes RGB, which keeps it
    converted = source.without_profile()
    assert converted.metadata.icc is None
    assert np.ptp(converted.colour, axis=2).max() <= 1
