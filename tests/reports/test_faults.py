"""The page of faults: it is made of its files, and what it says of them holds."""

import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from reports.faults import __main__ as command
from reports.faults.case import SCALE, StudyData
from reports.faults.page import FAULTS, read_numbers, sections
from reports.faults.pairs import VARIANTS
from reports.markdown import fill_section
from srmodels.data.batches.batch import Batch
from srmodels.engine.validation import validator
from srmodels.errors import ProtocolError
from srmodels.resize.tensors import enlarge_image, reduce

ROOT = Path(__file__).parents[2]
NUMBERS = ROOT / "metrics" / "faults"
PAGE = ROOT / "docs" / "FAULTS.md"


@pytest.fixture
def data(tmp_path):
    return StudyData(tmp_path)


@pytest.fixture(scope="module")
def numbers():
    return {fault.name: read_numbers(fault, NUMBERS) for fault in FAULTS.values()}


def test_the_page_is_the_one_of_the_files(numbers):
    text = PAGE.read_text(encoding="utf-8")
    results = [(fault, numbers[fault.name]) for fault in FAULTS.values()]
    assert fill_section(text, "faults", sections(results)) == text


@pytest.mark.parametrize("name", ["baseline", "peak", "validation"])
def test_what_needs_no_training_comes_out_as_the_file_says(name, data, numbers):
    measured, expected = FAULTS[name].measure(data).numbers, numbers[name]
    assert measured.keys() == expected.keys()
    assert all(measured[way] == pytest.approx(expected[way], abs=1e-3) for way in measured)


@pytest.mark.parametrize(
    "named", sorted({test for fault in FAULTS.values() for test in fault.tests})
)
def test_every_test_the_page_names_is_there(named):
    path, _, name = named.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_a_picture_lies_beside_the_page_where_it_shows_one(fault):
    assert (ROOT / "docs" / f"faults-{fault.name}.jpg").exists() == bool(fault.picture)


def test_a_factor_of_2_between_range_and_peak_is_worth_6_02_db(numbers):
    gains = {way: rows["difference"] for way, rows in numbers["peak"].items()}
    assert gains == pytest.approx(
        {"ours": 0, "peak_2": 6.0206, "halved": 6.0206, "peak_1": -6.0206}
    )


def test_only_the_large_slips_are_under_the_guards_20_db(numbers):
    caught = {way for way, rows in numbers["baseline"].items() if rows["psnr_y"] < 20}
    assert caught == {"twice", "never", "misread"}


def test_shifted_pairs_end_below_bicubic_and_aligned_ones_above(numbers):
    psnr = {way: rows.get("psnr_y") for way, rows in numbers["pairs"].items()}
    assert max(psnr["moved"], psnr["decimated"], psnr["ceiling"]) < psnr["bicubic"] < psnr["ours"]


def test_without_the_pixel_term_colours_drift_further(numbers):
    shift = {way: rows.get("colour_shift") for way, rows in numbers["colour"].items()}
    assert shift["start"] < shift["ours"] < min(shift["alone"], shift["both"])


def test_without_gradient_the_term_changes_nothing_and_its_curve_falls_all_the_same(numbers):
    rows = numbers["detached"]
    assert rows["detached"]["gradient"] == 0 < rows["ours"]["gradient"]
    assert all(rows["detached"][score] == rows["without"][score] for score in rows["without"])
    assert rows["detached"]["last"] < rows["detached"]["first"]
    assert rows["ours"]["sharpness"] > rows["without"]["sharpness"]


def test_a_baseline_on_random_crops_moves_and_on_whole_pictures_does_not(numbers):
    spread = {way: rows["spread"] for way, rows in numbers["validation"].items()}
    assert spread["ours"] == 0 < spread["sixteen"] < spread["one"]


def test_a_collapsed_posterior_has_no_samples_that_differ(numbers):
    rows = numbers["collapse"]
    assert rows["summed"]["diversity"] < 0.2 * rows["ours"]["diversity"]
    assert rows["summed"]["kl_nats"] < 0.01 * rows["ours"]["kl_nats"]


def test_two_validations_of_one_generator_are_equal(data):
    validate = validator(data.test_folder, SCALE, lambda _, lr: enlarge_image(lr, SCALE))
    first, second = (validate(nn.Identity())[0] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("way", "fits"), [("ours", True), ("moved", False), ("decimated", False)])
def test_the_faulty_pairs_are_faulty_and_ours_are_not(way, fits):
    hr = torch.rand(4, 3, 36 * SCALE, 36 * SCALE)
    whole = Batch(lr=reduce(hr, SCALE), hr=hr, photos=())
    pair = VARIANTS[way](whole, 0)
    assert pair.lr.shape[-1] * SCALE == pair.hr.shape[-1] == 35 * SCALE
    inside = slice(None), slice(None), slice(4, -4), slice(4, -4)
    assert torch.allclose(reduce(pair.hr, SCALE)[inside], pair.lr[inside], atol=1e-5) == fits


def test_a_run_writes_plain_numbers_and_the_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "NUMBERS", tmp_path / "faults")
    monkeypatch.setattr(command, "PAGE", tmp_path / "FAULTS.md")
    command.run(["baseline"])
    expected = json.loads((tmp_path / "faults" / "baseline.json").read_text())
    assert all(isinstance(row["psnr_y"], float) for row in expected.values())
    with Image.open(tmp_path / "faults-baseline.jpg") as picture:
        assert picture.mode == "RGB"


def test_an_unknown_fault_is_refused_with_those_there_are():
    with pytest.raises(ProtocolError, match=r"got 'peek'.*baseline, peak, pairs"):
        command.run(["peek"])


def test_a_fault_without_its_file_asks_for_the_run(tmp_path):
    with pytest.raises(ProtocolError, match=r"reports\.faults run peak"):
        read_numbers(FAULTS["peak"], tmp_path)
