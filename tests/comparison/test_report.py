"""The report: one file, complete, and safe whatever things are called."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from srmodels.comparison.gallery import Gallery
from srmodels.comparison.lock import differing_settings
from srmodels.comparison.report import Section, render_report
from srmodels.comparison.sample_images import SampleImage
from srmodels.comparison.selection import all_experiments, named_experiments
from srmodels.errors import ProtocolError
from tests.comparison.runs import PROTOCOL, repository, write_run
from tests.stages.repository import run

NOTHING = Gallery(images=[], shown=[], speeds={}, reasons=["no test picture"])
EVIL = "<script>alert(1)</script>"
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    return repository(folder, edsr=[31.0, 31.5, 30.4, 32.1, 30.2], srcnn=[29.0] * 5)


@pytest.fixture(scope="module")
def shown():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(4)]
    image = SampleImage(name=EVIL, hr=pictures[0], sr=pictures[1:], corners=[(8, 16)], size=64)
    return Gallery(images=[image], shown=[0, 2], speeds={0: 1.5, 2: 2.5}, reasons=[])


def written(project, shown, notes=()):
    experiments, _ = named_experiments(["workspace", "edsr-run", "srcnn-run"], root=project)
    sections = [Section(experiments=experiments, gallery=shown)]
    return render_report(sections, notes=notes, root=project)


class Addresses(HTMLParser):
    """Collects what a page would load, and the tags it leaves open."""

    VOID = ("meta", "img", "input", "br", "link")

    def __init__(self):
        super().__init__()
        self.addresses, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_report_loads_nothing_and_closes_its_tags(project, shown):
    text = written(project, shown)
    parser = Addresses()
    parser.feed(text)
    assert all(address.startswith("data:image/webp;base64,") for address in parser.addresses)
    assert (
        len(parser.addresses) == 4 + 4
    )  # HR, bicubic and two models: whole, and one window of address
    assert "http://" not in text
    assert "https://" not in text


def test_every_experiment_has_its_scores_and_a_verdict(project, shown):
    text = written(project, shown)
    (row,) = re.findall(
        r"<tr><td class=\"word\">[^\n]*\n?[^\n]*edsr-run \(edsr\)</td>.*?</tr>", text
    )
    assert "31.040" in row
    assert "+1.0400" in row
    assert '<small class="better">better</small>' in row


def test_the_scores_that_people_compare_are_the_first_columns(tmp_path):
    table = write_run(tmp_path, [30.0] * 3) / "plots" / "per_image.csv"
    head, *lines = table.read_text().splitlines()
    table.write_text("\n".join([f"{head},psnr_rgb,lpips", *(f"{line},25,0.2" for line in lines)]))
    experiments, _ = named_experiments(["workspace"], root=tmp_path)
    sections = [Section(experiments=experiments, gallery=NOTHING)]
    text = render_report(sections, notes=[], root=tmp_path)
    heads = re.findall(r"<th>(\w+)<small>(?:up|down|to)", text)
    assert heads == ["psnr_y", "lpips", "sharpness", "psnr_rgb"]


def test_names_and_notes_are_escaped(project, shown):
    text = written(project, shown, notes=[EVIL])
    assert EVIL not in text
    assert text.count("&lt;script&gt;alert(1)") >= 2


def test_without_pictures_the_reason_stands_there(project):
    text = written(project, NOTHING)
    assert "Not shown: no test picture" in text
    assert "<img" not in text


def test_equal_experiments_make_equal_bytes(project, shown):
    assert written(project, shown) == written(project, shown)


def test_experiments_on_other_images_are_a_section_of_their_own(project, tmp_path):
    clone = tmp_path / "clone"
    run(tmp_path, "git", "clone", "-q", str(project), str(clone))
    run(clone, "git", "fetch", "-q", "origin", "refs/exps/*:refs/exps/*")
    write_run(clone, [30.0] * 5, protocol=PROTOCOL | {"y": ["full range"]})
    groups, notes = all_experiments(clone)
    names = [sorted(experiment.name for experiment in group) for group in groups]
    assert (names, notes) == ([["workspace"], ["edsr-run", "srcnn-run"]], [])
    text = render_report(
        [Section(experiments=group, gallery=NOTHING) for group in groups], notes=[], root=clone
    )
    assert text.count("<h2>Experiments on the test set") == 2
    assert "full range" in text.split("Experiments on the test set")[1]


def test_settings_that_differ_are_told(project, tmp_path):
    folder = repository(tmp_path / "p", edsr=[31.0] * 5)
    for number, recipe in ((20, "srgan"), (30, "srgan")):
        lock = (
            f"stages:\n  pretrain:\n    params:\n      params.yaml:\n        models.{recipe}.smoke"
        )
        text = f"{lock}.pretrain:\n          training:\n            steps: {number}\n"
        text += f"        models.{recipe}.smoke.generator:\n          network: srresnet\n"
        (folder / "dvc.lock").write_text(text)
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-qm", f"{number}")
    named, _ = named_experiments(["HEAD~1", "HEAD"], root=folder)
    locks = [experiment.lock for experiment in named]
    assert differing_settings(locks) == ["pretrain.training.steps 20", "pretrain.training.steps 30"]


def test_a_project_without_any_scores_has_no_report(tmp_path):
    with pytest.raises(ProtocolError, match=r"no experiment can be reported; left out: workspace"):
        all_experiments(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed")
def test_the_slider_shows_the_left_picture_up_to_where_it_stands(project, shown, tmp_path):
    browsers = pytest.importorskip("playwright.sync_api")
    path = tmp_path / "report.html"
    path.write_text(written(project, shown), encoding="utf-8")
    with browsers.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        tab = browser.new_page()
        complaints = []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(path.as_uri())
        tab.locator("input[type=range]").fill("30")
        clips = tab.locator(".slider img").evaluate_all(
            "all => all.map(e => e.style.visibility === 'visible' ? e.style.clipPath : '')"
        )
        browser.close()
    assert complaints == []
    assert clips == ["", "inset(0px 70% 0px 0px)", "inset(0px 0px 0px 30%)", ""]
