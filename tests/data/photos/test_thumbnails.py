"""Thumbnails of all kinds of files, by processes that may die."""

import os

import numpy as np
import pytest
from PIL import Image

from srmodels.data.photos.thumbnails import thumbnail, thumbnails
from srmodels.errors import PhotoError
from tests.data.scenes import scene
from tests.images.pictures import dng, encoded, write


def differ(one, other):
    return np.abs(one.astype(int) - other).mean()


def small(image):
    return np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_thumbnail_is_the_picture_made_small(kind, tmp_path):
    path = write(tmp_path, "a", encoded(scene(0, 900, 1200), kind))
    assert differ(thumbnail(path), small(scene(0, 900, 1200))) < 2


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_turned_jpeg_is_made_upright(turn, tmp_path):
    exif = Image.Exif()
    exif[274] = turn
    back = {5: 5, 6: 8, 7: 7, 8: 6}.get(turn, turn)  # the turn that undoes it
    stored = Image.open(write(tmp_path, "a.png", encoded(scene(0), "PNG")))
    moves = (None, None, 0, 3, 1, 5, 4, 6, 2)  # Pillow's transpositions, by EXIF's numbers
    stored = stored if back == 1 else stored.transpose(Image.Transpose(moves[back]))
    path = write(tmp_path, "a.jpg", encoded(stored, "JPEG", exif=exif))
    assert differ(thumbnail(path), small(scene(0))) < 2


def test_a_raw_without_a_preview_is_developed(tmp_path):
    linear = (np.asarray(scene(0)) / 255.0) ** 2.2
    seen = thumbnail(write(tmp_path, "a.dng", dng(linear)))
    assert np.corrcoef(seen.ravel(), small(scene(0)).ravel())[0, 1] > 0.98


def test_a_file_that_cannot_be_decoded_says_why(tmp_path):
    with pytest.raises(PhotoError, match="is a text file"):
        thumbnail(write(tmp_path, "a.jpg", b"Dear diary"))


def test_names_with_anything_in_them_are_looked_at_and_broken_files_left_out(tmp_path):
    odd = ["a,b\n.png", b"caf\xe9.png".decode("utf-8", "surrogateescape")]
    paths = {f"{k}": write(tmp_path, name, encoded(scene(k), "PNG")) for k, name in enumerate(odd)}
    paths["broken"] = write(tmp_path, "broken.png", b"")
    found = thumbnails(paths, workers=1)
    assert list(found) == ["0", "1"]
    assert all((found[k] == thumbnail(paths[k])).all() for k in found)


@pytest.mark.slow
def test_a_process_that_hangs_is_killed_and_costs_one_photograph(tmp_path):
    os.mkfifo(tmp_path / "endless.png")
    paths = {"endless": tmp_path / "endless.png"}
    paths["a"] = write(tmp_path, "a.png", encoded(scene(0), "PNG"))
    assert list(thumbnails(paths, workers=1, seconds=3)) == ["a"]


def test_only_what_is_not_remembered_is_looked_at(tmp_path):
    memory = tmp_path / "deep/memory.txt"
    paths = {"one": write(tmp_path, "a.png", encoded(scene(0), "PNG"))}
    first = thumbnails(paths, workers=1, memory=memory)
    with memory.open("a") as file:
        file.write("\ntwo " + "00" * 1023)  # as a killed run leaves it
    paths["one"].unlink()
    paths["two"] = write(tmp_path, "b.png", encoded(scene(1), "PNG"))
    found = thumbnails(paths, workers=1, memory=memory)
    assert (found["one"] == first["one"]).all()
    assert (found["two"] == thumbnail(paths["two"])).all()
