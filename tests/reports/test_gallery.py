"""docs/GALLERY.md: crops, their page and the slider, from photographs with known pixels."""

import re

import numpy as np
import pytest
from PIL import Image

from reports import gallery
from reports.crops import SIDE
from reports.screenshots import find_browser, new_page
from srmodels.errors import ConfigError


def photographs():
    hr = np.random.default_rng(0).integers(0, 256, (4 * SIDE, 4 * SIDE, 3), np.uint8)
    sr = hr.copy()
    sr[: 2 * SIDE] //= 2
    pictures = {"LR (1/4)": hr, "bicubic": np.zeros_like(hr), "generator": sr, "HR": hr}
    return {"coffee": pictures, "<b>unknown</b>": pictures}


def distance(one, other):
    return float(np.abs(one.astype(float) - other).mean())


def test_each_photograph_has_its_crops_its_credit_and_no_more_files(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "FOLDER", tmp_path / "gallery")
    page = gallery.write_crops({"coffee": photographs()["coffee"]}, distance)
    named = re.findall(r"\(gallery/(.+?)\)", page)
    assert sorted(path.name for path in (tmp_path / "gallery").iterdir()) == sorted(named)
    assert "coffee-gains-most.jpg" in named
    assert "coffee-gains-least.jpg" in named
    assert "by Rachel Michetti, CC0" in page
    with Image.open(tmp_path / "gallery" / "coffee-gains-most.jpg") as drawn:
        assert drawn.width > 4 * 3 * SIDE


def test_the_slider_loads_nothing_and_escapes_names():
    page = gallery.render_slider(photographs())
    assert "<b>unknown</b>" not in page
    loaded = re.findall(r"(?:src|data-hr|data-generator)=\"(\S{5})", page)
    assert len(loaded) == 8
    assert set(loaded) == {"data:"}
    assert "://" not in page
    assert page.count('type="range"') == 2


@pytest.fixture
def page():
    pytest.importorskip("playwright.sync_api")
    try:
        find_browser()
    except ConfigError as error:
        pytest.skip(str(error))
    with new_page() as opened:
        yield opened


@pytest.mark.slow
def test_the_slider_moves_and_shows_the_original_from_a_file(page, tmp_path):
    path = tmp_path / "slider.html"
    path.write_text(gallery.render_slider(photographs()), encoding="utf-8")
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(path.as_uri())
    shown = page.locator(".pair img").nth(1)
    clip = "image => getComputedStyle(image).clipPath"
    assert shown.evaluate(clip) == "inset(0px 0px 0px 50%)"
    page.locator("input[type=range]").first.fill("20")
    assert shown.evaluate(clip) == "inset(0px 0px 0px 20%)"
    before = shown.get_attribute("src")
    page.get_by_label("original").first.check()
    assert shown.get_attribute("src") == shown.get_attribute("data-hr") != before
    assert all(address.startswith(("file:", "data:")) for address in requested)


def test_a_missing_browser_is_one_line(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=r"^screenshots: no Chromium on the path .* apt install"):
        find_browser()
