"""One picture to any size and depth: what happens to its colour, its alpha and its bits."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from srmodels.errors import ConfigError
from srmodels.images.metadata import Metadata
from srmodels.images.readers.source_image import SourceImage
from srmodels.images.writers.formats import format_named
from srmodels.inference.files.enlarge import OutputOptions, fill_transparent, passes, upscale_image
from srmodels.inference.generators.generator import Generator
from srmodels.resize.images import downscale
from tests.inference.nearest import nearest
from tests.inference.small import small

PNG, JPEG = format_named("png"), format_named("jpeg")


def whole(colour, alpha=None, kind="PNG"):
    return SourceImage(colour, alpha, Metadata(), kind, ())


def made(picture, generator=None, kind=PNG, seed=None, **wish):
    return upscale_image(
        picture, generator or nearest(), OutputOptions(**wish), kind, seed=seed
    ).to_array()


def repeated(values, times=2):
    return values.repeat(times, axis=0).repeat(times, axis=1)


def test_eight_bits_stay_eight(photo):
    np.testing.assert_array_equal(made(whole(photo)), repeated(photo))


def test_sixteen_bits_stay_sixteen_to_the_last(photo):
    deep = photo.astype(np.uint16) * 256 + photo[::-1]
    np.testing.assert_array_equal(made(whole(deep)), repeated(deep))


@pytest.mark.parametrize(
    ("kind", "bits", "format_", "wanted"),
    [
        ("RAW", None, PNG, np.uint8),
        ("RAW", 16, PNG, np.uint16),
        ("PNG", 8, PNG, np.uint8),
        ("PNG", None, JPEG, np.uint8),
    ],
)
def test_sixteen_bits_become_what_is_wished_for(photo, kind, bits, format_, wanted):
    deep = whole(photo.astype(np.uint16) * 257, kind=kind)
    assert made(deep, bits=bits, kind=format_).dtype == wanted


def test_eight_bits_become_sixteen_if_wished_for(photo):
    np.testing.assert_array_equal(made(whole(photo), bits=16), repeated(photo) * np.uint16(257))


def test_grey_stays_grey(photo):
    grey = photo[..., :1]
    np.testing.assert_array_equal(made(whole(grey)), repeated(grey))


@pytest.mark.parametrize("factor", [1.5, 2.5, 3])
def test_any_size_is_the_network_s_result_brought_to_it(photo, factor):
    result = made(whole(photo), nearest(4), scale=factor)
    size = (round(128 * factor), round(96 * factor))
    wanted = Image.fromarray(repeated(photo, 4)).resize(size, Image.Resampling.LANCZOS)
    np.testing.assert_allclose(result.astype(int), np.asarray(wanted).astype(int), atol=1)


def test_beyond_its_scale_the_network_works_twice(photo):
    np.testing.assert_array_equal(made(whole(photo), scale=4), repeated(photo, 4))


@pytest.mark.parametrize(
    ("factor", "scale", "count"), [(0.5, 2, 0), (1, 2, 0), (2, 2, 1), (2.1, 2, 2), (1, 1, 1)]
)
def test_a_network_works_as_often_as_needed(factor, scale, count):
    assert passes(factor, scale) == count


@pytest.mark.parametrize(("factor", "scale"), [(4.1, 2), (1.5, 1)])
def test_more_than_twice_is_refused(factor, scale):
    with pytest.raises(ConfigError, match=rf"--scale: .* \(got {factor}\)\. Use at most"):
        passes(factor, scale)


def test_the_larger_side_can_be_bound(photo):
    assert made(whole(photo), max_side=200).shape == (150, 200, 3)
    assert made(whole(photo), max_side=64).shape == (48, 64, 3)
    assert made(whole(photo), max_side=9999).shape == (192, 256, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
def test_thin_pictures_have_results_too(size):
    assert made(whole(np.zeros((*size, 3), np.uint8)), scale=1.5).shape[2] == 3


def test_colour_bleeds_under_clear_pixels(photo):
    """The oracle: the nearest pixel that is not clear, by hand on one row."""
    colour = np.array([[[1], [2], [0], [0], [0], [9]]], np.uint8)
    alpha = np.array([[255, 1, 0, 0, 0, 255]], np.uint8)
    assert fill_transparent(colour, alpha)[0, :, 0].tolist()[:3] == [1, 2, 2]
    assert fill_transparent(colour, alpha)[0, 4, 0] == 9


def test_what_is_under_clear_pixels_does_not_show():
    """A red disc on black that is clear, and on white that is clear: one result."""
    y, x = np.mgrid[:40, :40]
    alpha = np.where((y - 20) ** 2 + (x - 20) ** 2 < 200, 255, 0).astype(np.uint8)
    generator = Generator(network=small("srcnn"), name="srcnn", scale=4)
    results = []
    for behind in (0, 255):
        colour = np.where(alpha[..., None] > 0, (200, 30, 30), behind).astype(np.uint8)
        results.append(made(whole(colour, alpha), generator))
    np.testing.assert_array_equal(*results)


def test_alpha_is_enlarged_apart(photo):
    alpha = np.full((96, 128), 255, np.uint8)
    alpha[:, :64] = 0
    result = made(whole(photo, alpha), scale=3)
    assert result.shape == (288, 384, 4)
    assert (result[:, :180, 3] == 0).all()
    assert (result[:, 204:, 3] == 255).all()


def test_a_consistent_result_is_the_picture_again_once_reduced(photo):
    lr = downscale(photo, 4)
    generator = Generator(network=small("srcnn"), name="srcnn", scale=4)
    errors = [
        np.abs(downscale(made(whole(lr), generator, consistent=each), 4).astype(int) - lr)
        for each in (False, True)
    ]
    assert errors[0].mean() > 1
    assert errors[1].max() <= 1


def test_samples_differ_by_their_seed_alone(photo):
    network = small("srvae")
    generator = Generator(network=network, name="srvae", scale=network.scale)
    first, again, second = (made(whole(photo), generator, seed=each) for each in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()


def test_the_work_is_done_when_rows_are_asked_for(photo):
    broken = dataclasses.replace(nearest(), network=None)
    assert upscale_image(whole(photo), broken, OutputOptions(scale=1.5), PNG).height == 144
