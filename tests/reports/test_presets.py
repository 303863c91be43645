"""Matched recipes differ only in what they are named for; docs/PRESETS.md is current."""

import pytest

from reports.markdown import fill_section
from reports.presets import PAGE, differences, recipes_of, sections
from reports.settings import PARAMS

MATCHED = recipes_of(PARAMS, "matched")
OWN = {  # what each recipe may have of its own, by the beginning of a key
    "srgan": ("generator.", "adversarial.objective.kind", "adversarial.objective.perceptual."),
    "realesrgan": ("generator.", "adversarial.discriminator.", "adversarial.objective.kind"),
}


@pytest.mark.parametrize("name", ["srgan", "realesrgan"])
def test_a_matched_recipe_differs_from_esrgan_in_what_it_is_named_for(name):
    rows = differences({name: MATCHED[name], "esrgan": MATCHED["esrgan"]})
    keys = [row[0].strip("`") for row in rows]
    allowed = (*OWN[name], "adversarial.training.degradation")
    assert [key for key in keys if not key.startswith(allowed)] == []
    assert len(keys) > 2


@pytest.mark.parametrize("name", ["edsr", "swinir", "span", "srvgg"])
def test_matched_recipes_without_a_gan_differ_in_their_network_alone(name):
    rows = differences({name: MATCHED[name], "srresnet": MATCHED["srresnet"]})
    assert rows
    assert all(row[0].startswith("`generator.") for row in rows)


def test_srgan_and_srresnet_have_one_pretraining():
    rows = differences({"srgan": MATCHED["srgan"], "srresnet": MATCHED["srresnet"]})
    assert all(row[0].startswith("`adversarial.") for row in rows)


def test_the_page_is_that_of_the_settings():
    page = PAGE.read_text(encoding="utf-8")
    for name, content in sections(PARAMS).items():
        assert fill_section(page, name, content) == page
    assert "| `pretrain.training.steps` | 1000000 | 1500 |" in page
