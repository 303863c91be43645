"""Photographs of 500 names, from the table of photographs to the enlarged results."""

import csv
import string
import unicodedata

import numpy as np
import pytest
from PIL import Image

from srmodels import snapshot
from srmodels.data.patches.extract import extract
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.photos.collect import collect
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import read_photos
from srmodels.data.store.reader import PatchStore
from srmodels.inference.files.plan import plan
from srmodels.inference.files.upscale_files import upscale_files
from srmodels.inference.weights.open_weights import open_weights
from tests.inference.small import small, small_settings

pytestmark = pytest.mark.slow

COUNT = 500
LONGEST = 255 - len(".png")


def names() -> list[str]:
    """Stems of file names, none of which another file system takes for another of them."""
    fixed = [f"a{letter}b" for letter in string.punctuation if letter != "/"]
    fixed += [letter for letter in string.punctuation if letter not in "/."]
    fixed += [f"c{chr(code)}d" for code in range(1, 32)]
    fixed += ["Icon\r", " lead", "trail ", "-", "--help", "~", "NA", "nan", "null", "1e5", "a\\nb"]
    fixed += [unicodedata.normalize("NFC", "Zo\u00eb"), unicodedata.normalize("NFD", "No\u00ebl")]
    fixed += ["\u65e5\u672c", "\U0001f600", "\u202eevil", "\ufeffbom"]
    fixed += ["n" * LONGEST, "\u00e9" * (LONGEST // 2), "e\u0301" * (LONGEST // 3)]
    fixed += ["x\udcff\udcfe", "100%", "%41", "a?b=c&d#e", "${HOME}", "$(id)", "{x}", "[1]", "*"]
    found = dict.fromkeys(fixed)
    rng = np.random.default_rng(0)
    while len(found) < COUNT:  # reproducible, unlike hypothesis' own draws
        codes = rng.choice([*range(1, 0x250), *range(0x300, 0x36F), 0x4E00, 0x1F600], 12)
        found["".join(map(chr, codes)).replace("/", "_").lstrip(".") or "y"] = None
    return list(found)[:COUNT]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Noise of 40 by 48 pixels under every name, and the names."""
    place = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for name in names():
        pixels = rng.integers(0, 255, (40, 48, 3), np.uint8)
        with (place / f"{name}.png").open("wb") as file:
            Image.fromarray(pixels).save(file, "PNG")
    return place


def test_each_is_cut_and_its_name_is_the_same_in_every_table(folder, tmp_path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    settings = PhotosSettings(photos=str(folder), near_duplicates="ignore")
    listed = collect(settings, preset="smoke", data=data, scale=4)
    expected = {path.name for path in folder.iterdir()}
    assert len(expected) == COUNT
    assert {photo.photo for photo in listed} == expected
    assert [photo.photo for photo in read_photos(data / "photos")] == [p.photo for p in listed]
    extract(
        data / "photos",
        data / "patches",
        PatchSettings(patch_size=8, stride=8, workers=1, shards=2),
        scale=4,
        metrics=tmp_path / "patches.json",
    )
    train = {photo.photo for photo in listed if photo.split == "train"}
    assert set(PatchStore(data / "patches" / "train").photos) == train
    table = data / "patches" / "manifest.csv"
    with table.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        assert {row["photo"] for row in csv.DictReader(file)} == expected


def test_each_is_enlarged_under_its_own_name(folder, tmp_path) -> None:
    weights = tmp_path / "weights.safetensors"
    snapshot.save(weights, small("srcnn"), name="srcnn", settings=small_settings("srcnn"))
    outcome = upscale_files(plan([str(folder)], f"{tmp_path}/out"), open_weights(weights))
    assert (outcome.written, outcome.failed) == (COUNT, [])
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {path.name for path in folder.iterdir()}
