"""Near duplicates are found, and pictures that differ are kept apart."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from srmodels.data.datasets.bundled import copy_bundled, read_choice
from srmodels.data.photos.duplicates import MAX_DISTANCE, MIN_CORRELATION, find_duplicates
from srmodels.data.photos.thumbnails import thumbnail
from tests.data.scenes import scene
from tests.images.pictures import encoded


def cut(image, left, top, right, bottom):
    width, height = image.size
    return image.crop(
        (
            round(width * left),
            round(height * top),
            round(width * (1 - right)),
            round(height * (1 - bottom)),
        )
    )


def jpeg(image, quality):
    return Image.open(io.BytesIO(encoded(image, "JPEG", quality=quality)))


CHANGES = {
    "itself": lambda image: image,
    "quality 30": lambda image: jpeg(image, 30),
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "an eighth": lambda image: image.resize((image.width // 8, image.height // 8)),
    "lighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.9),
    "another curve": lambda image: image.point(
        [round(255 * (k / 255) ** 0.7) for k in range(256)] * 3
    ),
    "cut": lambda image: cut(image, 0.01, 0.01, 0.01, 0.01),
    "cut at two sides": lambda image: cut(image, 0.02, 0.02, 0, 0),
}


def small(image):
    return np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX))


def groups_of(pictures):
    found = find_duplicates(list(pictures), [small(image) for image in pictures.values()])
    return [[member.photo for member in group] for group in found]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_others(change):
    pictures = {f"{k}": scene(k) for k in range(20)}
    assert groups_of(pictures | {"copy": CHANGES[change](scene(7))}) == [["7", "copy"]]


def test_a_burst_is_one_group_and_each_member_says_how_like_another_it_is():
    whole = scene(0, 400, 600)
    burst = {f"{k}": cut(whole, 0.01 * k, 0, 0.06 - 0.01 * k, 0) for k in (0, 2, 4, 6)}
    (group,) = find_duplicates(list(burst), [small(image) for image in burst.values()])
    assert [member.photo for member in group] == ["0", "2", "4", "6"]
    assert all(member.like in set(burst) - {member.photo} for member in group)
    assert all(member.distance <= MAX_DISTANCE for member in group)
    assert all(member.correlation >= MIN_CORRELATION for member in group)


def test_the_order_of_the_photographs_does_not_matter():
    names = ["c", "a", "d", "b"]
    thumbnails = [small(scene(k)) for k in (0, 0, 1, 1)]
    found = find_duplicates(names, thumbnails)
    assert found == find_duplicates(names[::-1], thumbnails[::-1])
    assert [[member.photo for member in group] for group in found] == [["a", "c"], ["b", "d"]]


def test_flat_pictures_and_plain_gradients_are_like_no_other():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:32, 0:32]
    skies = [200 - 3 * y + 0.2 * k * x + rng.normal(0, 1, (32, 32)) for k in range(9)]
    flat = [np.full((32, 32), level) for level in (0, 0, 128, 255)]
    thumbnails = [picture.clip(0, 255).astype(np.uint8) for picture in skies + flat]
    assert find_duplicates([f"{k}" for k in range(13)], thumbnails) == []


def test_no_photographs_make_no_groups():
    assert find_duplicates([], []) == []


@pytest.mark.slow
def test_real_photographs_differ_but_for_a_known_pair(shared):
    files = [*shared.glob("data/train_bsds400/*.jpg"), *shared.glob("data/benchmarks/*/*.png")]
    names = [path.relative_to(shared / "data").as_posix() for path in files]
    found = find_duplicates(names, [thumbnail(path) for path in files])
    # Set5's woman comes from the training folder of BSDS500
    pair = ["benchmarks/Set5/img_005.png", "train_bsds400/302003.jpg"]
    assert [[member.photo for member in group] for group in found] == [pair]


@pytest.mark.parametrize("preset", ["quickstart", "smoke"])
def test_the_bundled_photographs_are_not_alike(preset, tmp_path):
    table = Path(__file__).parents[3] / f"data/auto/{preset}.csv"
    copies = [path for _, path in copy_bundled(read_choice(table), tmp_path)]
    assert (
        find_duplicates([path.name for path in copies], [thumbnail(path) for path in copies]) == []
    )
