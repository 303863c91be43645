"""Camera RAW: the scene's colours, one exposure for all, and nothing made up."""

import numpy as np
import pytest

from srmodels.errors import PhotoError
from srmodels.images.orientation import apply_orientation
from srmodels.images.readers.decode import decode, read
from tests.images.pictures import BAYER, X_TRANS, dng, write

SENSORS = pytest.mark.parametrize("filters", [BAYER, X_TRANS, None], ids=["bayer", "x", "linear"])


def srgb(linear):
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255


def quarters(height=64, width=96):
    linear = np.zeros((height, width, 3))
    top, left = height // 2, width // 2
    linear[:top, :left], linear[:top, left:] = (0.5, 0.1, 0.1), (0.1, 0.5, 0.1)
    linear[top:, :left], linear[top:, left:] = (0.1, 0.1, 0.5), (0.2, 0.2, 0.2)
    return linear


def middles(picture):
    height, width = picture.shape[:2]
    return picture[height // 4 :: height // 2, width // 4 :: width // 2]


@SENSORS
@pytest.mark.parametrize("neutral", [(1, 1, 1), (0.5, 1, 0.7)])
def test_raw_gives_the_colours_of_the_scene(neutral, filters, tmp_path):
    scene = quarters(528, 540)  # LibRaw interpolates no smaller X-Trans
    pixels = decode(write(tmp_path, "A.DNG", dng(scene, neutral, filters=filters)))
    assert np.abs(middles(pixels) - srgb(middles(scene))).max() <= 1


@SENSORS
def test_raw_keeps_grey_grey_to_the_last_pixel(filters, tmp_path):
    slope = np.linspace(0.02, 0.9, 540)[None, :, None] * np.ones((528, 1, 3))
    pixels = decode(write(tmp_path, "a.dng", dng(slope, (0.4, 1, 0.6), filters=filters)))
    inner = pixels[8:-8, 8:-8].astype(int)
    assert (inner.max(axis=2) - inner.min(axis=2)).max() <= 2


@pytest.mark.parametrize("brightness", [0.1, 1.5])
def test_raw_keeps_the_exposure_of_a_dark_and_of_a_bright_picture(brightness, tmp_path):
    pixels = decode(write(tmp_path, "a.dng", dng(quarters() * brightness)))
    assert np.abs(middles(pixels) - srgb(middles(quarters()) * brightness)).max() <= 1


def test_raw_is_turned_by_its_orientation(tmp_path):
    pixels = decode(write(tmp_path, "a.dng", dng(quarters(), turn=6)))
    assert pixels.shape == (96, 64, 3)
    assert pixels[24, 48, 0] > 180  # red, top left in the sensor, is turned to the top right


CROP = {
    "whole": ((), (64, 96)),
    "inner": (((50719, 3, 2, (8, 4), True), (50720, 3, 2, (80, 48), True)), (48, 80)),
    "user's": (
        (
            (50719, 3, 2, (8, 4), True),
            (50720, 3, 2, (80, 48), True),
            (51125, 5, 4, (1, 4, 0, 1, 1, 1, 1, 2), True),  # top, left, bottom, right
        ),
        (36, 40),
    ),
    "of the active area": (
        (
            (50829, 3, 4, (6, 10, 60, 90), True),  # top, left, bottom, right
            (50719, 5, 2, (2, 1, 4, 1), True),
            (50720, 5, 2, (70, 1, 40, 1), True),
        ),
        (40, 70),
    ),
}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("name", CROP)
def test_a_dng_is_cropped_and_turned_as_its_camera_shows_it(name, turn, half, tmp_path):
    tags, (height, width) = CROP[name]
    top, left = {"whole": (0, 0), "inner": (4, 8), "user's": (16, 8)}.get(name, (10, 12))
    y, x = np.mgrid[0:64, 0:96]
    scene = np.stack([x / 96, y / 64, (x + y) / 160], axis=-1) * 0.8 + 0.1
    found = read(write(tmp_path, "a.dng", dng(scene, turn=turn, tags=tags)), half_size=half)
    step = 2 if half else 1
    want = srgb(scene)[top : top + height : step, left : left + width : step]
    want = apply_orientation(want, turn)
    assert found.pixels.shape == want.shape
    assert np.abs(found.pixels - want)[2:-2, 2:-2].max() <= (4 if half else 2)
    shown = f"cropped to the {width // step}x{height // step} that its camera shows"
    assert found.notes == (() if name == "whole" else (shown,))


def test_a_crop_beyond_the_sensor_is_noted_and_not_applied(tmp_path):
    tags = ((50719, 3, 2, (90, 4), True), (50720, 3, 2, (80, 48), True))
    found = read(write(tmp_path, "a.dng", dng(quarters(), tags=tags)))
    assert found.pixels.shape == (64, 96, 3)
    assert found.notes == ("is not cropped to the 80x48 that its camera shows",)


@pytest.mark.parametrize(("filters", "side"), [(BAYER, 264), (X_TRANS, 264), (None, 528)])
def test_raw_with_filters_comes_at_half_its_size_on_request(filters, side, tmp_path):
    path = write(tmp_path, "a.dng", dng(quarters(528, 528), filters=filters))
    pixels = decode(path, half_size=True)
    assert pixels.shape == (side, side, 3)
    assert np.abs(middles(pixels) - srgb(middles(quarters()))).max() <= 1


def test_raw_named_tif_is_developed_not_shown_as_a_mosaic(tmp_path):
    found = read(write(tmp_path, "a.tif", dng(quarters())))
    assert found.kind == "RAW"
    assert found.notes == ("is RAW in spite of its name",)


@pytest.mark.parametrize("options", [{}, {"rowsperstrip": 7}, {"byteorder": ">"}], ids=str)
def test_raw_that_misses_its_last_bytes_is_refused(options, tmp_path):
    data = dng(quarters(), **options)
    assert decode(write(tmp_path, "a.dng", data)).shape == (64, 96, 3)
    with pytest.raises(PhotoError, match="pixels go on beyond its end"):
        decode(write(tmp_path, "a.dng", data[:-2]))


def test_raw_whose_lower_part_never_arrived_is_refused(tmp_path):
    data = dng(quarters())
    with pytest.raises(PhotoError, match="nothing but zeros"):
        decode(write(tmp_path, "a.dng", data[:-4000] + bytes(4000)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"), [("canon_eos_6d.dng", (816, 1224)), ("kodak_dc50.kdc", (512, 768))]
)
def test_real_raw_files_are_read_whole_or_not_at_all(name, size, shared, tmp_path):
    data = (shared / "data" / "mixed" / name).read_bytes()
    assert decode(write(tmp_path, name, data)).shape == (*size, 3)
    for share in (*range(10), 9.9, 9.99):
        with pytest.raises(PhotoError):
            decode(write(tmp_path, name, data[: int(len(data) * share / 10)]))
