"""The words of a verdict, and the first screen of a study's report."""

import numpy as np
import pandas as pd
import pytest

from srmodels.comparison.experiment import Experiment
from srmodels.comparison.gallery import Gallery
from srmodels.comparison.report import Section, render_report
from srmodels.comparison.sample_images import SampleImage
from srmodels.comparison.sources import ExperimentFiles
from srmodels.study.plan import Plan
from srmodels.study.verdict import how_sure, lead_of, verdicts

IMAGES = np.random.default_rng(0).normal(28, 2, 12)


def trained(psnr, lpips, seed, noise=0.02):
    """An experiment on twelve images; bicubic has 2 dB less."""
    rng = np.random.default_rng(seed)
    names = [f"{k:02d}" for k in range(12)]
    rows = []
    for model, gain, worse in (("bicubic", -2.0, 0.2), ("generator", psnr, 0.0)):
        scores = {"psnr_y": IMAGES + gain + noise * rng.normal(size=12), "lpips": lpips + worse}
        rows.append(pd.DataFrame({"image": names, **scores}).assign(set="test", model=model))
    files = ExperimentFiles(name=f"x{seed}", commit="", read=lambda path: None)
    return Experiment(
        files=files,
        recipe="",
        preset="",
        row="generator",
        metrics={},
        images=pd.concat(rows),
        lock=f"- path: weights/generator.safetensors\n  hash: md5\n  md5: {seed:032x}\n",
    )


def groups(psnr=-0.5, lpips=-0.05, noise=0.02):
    return {
        "srgan": [trained(0.0, 0.2, seed, noise) for seed in range(3)],
        "<b>mine": [trained(psnr, 0.2 + lpips, 10 + seed, noise) for seed in range(3)],
    }


def test_the_verdict_says_better_and_worse_with_intervals():
    (verdict,) = verdicts(groups())
    assert verdict.headline() == "<b>mine is better in LPIPS, worse in PSNR-Y than srgan"
    assert verdict.sentence().startswith("<b>mine against srgan: better in LPIPS (-0.0500, 95 %: ")
    assert "; worse in PSNR-Y (-0.5" in verdict.sentence()


def test_where_nothing_differs_no_difference_is_shown():
    (verdict,) = verdicts(groups(psnr=0.0, lpips=0.0, noise=0.5))
    assert verdict.headline() == "No difference shown between <b>mine and srgan"
    assert verdict.sentence().endswith("no difference shown in LPIPS, PSNR-Y.")
    assert "test photographs would show 0.1 dB" in how_sure(verdict, 3)


def test_seeds_that_matter_more_than_photographs_are_told():
    varied = {
        recipe: [trained(shift + 0.4 * seed, 0.2, seed) for seed in range(3)]
        for recipe, shift in (("srgan", 0.0), ("mine", 0.1))
    }
    (verdict,) = verdicts(varied)
    assert "--seeds 6 narrows the intervals" in how_sure(verdict, 3)


@pytest.fixture
def page(tmp_path):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (96, 96, 3), np.uint8) for _ in range(4)]
    image = SampleImage(name="cat", hr=pictures[0], sr=pictures[1:], corners=[(0, 8)], size=64)
    made = groups()
    plan = Plan(key="a", preset="matched", recipes=tuple(made), seeds=3, steps={})
    minutes = {f"{seed:032x}": 2.0 + seed for seed in range(3)}
    lead = lead_of(
        made,
        plan,
        [image],
        shown=list(made),
        minutes=minutes,
        commands=["dvc queue start -j 2"],
        root=tmp_path,
    )
    gallery = Gallery(images=[], shown=[], speeds={}, reasons=[])
    section = Section(experiments=[*made["srgan"], *made["<b>mine"]], gallery=gallery)
    return render_report([section], notes=[], root=tmp_path, lead=lead)


def test_the_first_screen_has_verdict_plane_and_crops(page):
    first = page.split("<h2>")[0]
    assert "<h1>&lt;b&gt;mine is better in LPIPS, worse in PSNR-Y than srgan</h1>" in first
    assert first.count("<svg") == 1
    assert "&lt;svg" not in page
    assert first.count("data:image/webp") == 4  # HR, bicubic, two recipes


def test_the_cost_is_the_mean_of_the_trainings_that_are_known(page):
    cost = page.split("<h2>What each recipe cost</h2>")[1]
    assert "<td>3</td><td>3.0</td><td>9.0</td>" in cost
    assert "<td>3</td><td>-</td><td>-</td>" in cost
    assert "dvc queue start -j 2" in cost
