"""Many files: formats, places, and failures that do not stop the rest."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srmodels.errors import ConfigError, PhotoError
from srmodels.inference.batch import plan, upscale_files, write_picture


def twice(lr):
    return lr.repeat(2, axis=0).repeat(2, axis=1)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".PNG"])
def test_lossless_formats_keep_every_value(tmp_path, photo, suffix):
    path = tmp_path / f"picture{suffix}"
    write_picture(path, photo)
    np.testing.assert_array_equal(np.array(Image.open(path)), photo)


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".jpg", "JPEG"), (".jpeg", "JPEG"), (".webp", "WEBP")]
)
def test_lossy_formats_stay_near(tmp_path, photo, suffix, kind):
    path = tmp_path / f"picture{suffix}"
    write_picture(path, photo)
    with Image.open(path) as read:
        assert read.format == kind
        assert np.abs(np.array(read).astype(int) - photo).mean() < 8  # half the colour in WebP


def test_an_unknown_ending_lists_the_known_ones(tmp_path, photo):
    with pytest.raises(ConfigError, match=r"x\.bmp: unknown kind of picture; one of \.png"):
        write_picture(tmp_path / "x.bmp", photo)


def test_a_picture_too_large_for_a_format_is_refused(tmp_path):
    with pytest.raises(PhotoError, match=r"long\.webp: WEBP cannot hold 20000 x 1 pixels"):
        write_picture(tmp_path / "long.webp", np.zeros((1, 20000, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_results_go_into_a_folder_as_png(tmp_path):
    pairs = plan([Path("a/x.heic"), Path("b/y.jpg")], tmp_path)
    assert [target for _, target in pairs] == [tmp_path / "x.png", tmp_path / "y.png"]


def test_a_single_result_may_have_a_name(tmp_path):
    assert plan([Path("x.heic")], tmp_path / "y.jpg") == [(Path("x.heic"), tmp_path / "y.jpg")]


def test_a_folder_with_a_dot_in_its_name_is_a_folder(tmp_path):
    folder = tmp_path / "v1.0"
    folder.mkdir()
    assert plan([Path("x.heic")], folder)[0][1] == folder / "x.png"


def test_several_pictures_do_not_go_into_one_file(tmp_path):
    with pytest.raises(ConfigError, match=r"is one file for 2 pictures; name a folder"):
        plan([Path("x.heic"), Path("y.heic")], tmp_path / "z.png")


def test_an_unknown_ending_is_refused_before_any_work(tmp_path):
    with pytest.raises(ConfigError, match=r"z\.gif: unknown kind"):
        plan([Path("x.heic")], tmp_path / "z.gif")


def test_an_input_is_never_overwritten(tmp_path, photo):
    path = tmp_path / "x.png"
    write_picture(path, photo)
    for output in (tmp_path, path, tmp_path / "." / "x.png"):
        with pytest.raises(ConfigError, match="would overwrite an input"):
            plan([path], output)


def test_an_input_behind_a_link_is_not_overwritten_either(tmp_path, photo):
    path = tmp_path / "x.png"
    write_picture(path, photo)
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(ConfigError, match="would overwrite an input"):
        plan([path], tmp_path / "link")


def test_two_results_of_one_name_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"b/x\.jpg: its result .* is also that of a/x\.png"):
        plan([Path("a/x.png"), Path("b/x.jpg")], tmp_path)


def test_files_are_enlarged(tmp_path, photo):
    write_picture(tmp_path / "x.png", photo)
    assert upscale_files([(tmp_path / "x.png", tmp_path / "new" / "y.png")], twice) == []
    made = np.array(Image.open(tmp_path / "new" / "y.png"))
    np.testing.assert_array_equal(made, twice(photo))


def test_a_broken_file_does_not_stop_the_rest(tmp_path, photo):
    (tmp_path / "a.png").write_text("no picture")
    write_picture(tmp_path / "b.png", photo)
    pairs = plan([tmp_path / "a.png", tmp_path / "none.png", tmp_path / "b.png"], tmp_path / "out")
    failed = upscale_files(pairs, twice)
    assert [sentence.split(":")[0] for sentence in failed] == ["a.png", "none.png"]
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["b.png"]


def test_a_result_that_does_not_fit_into_memory_does_not_stop_the_rest(tmp_path, photo):
    def huge(_lr):
        raise MemoryError

    write_picture(tmp_path / "x.png", photo)
    (sentence,) = upscale_files([(tmp_path / "x.png", tmp_path / "y.png")], huge)
    assert sentence.startswith("x.png: its result does not fit into memory")
