"""Fine-tuning as docs/FINE_TUNING.md has it, in small: other weights, then a GAN phase alone."""

import json

import pytest
import torch

from srmodels import models, snapshot
from tests.stages.repository import clone, edit, run
from tests.stages.test_recipes import choose

pytestmark = pytest.mark.slow

SETTINGS = {"num_blocks": 1, "channels": 8, "growth_channels": 4}
PRETRAIN = "pretrain: {objective: {name: pixel, kind: l1}}"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository whose recipe esrgan begins with a file of weights and trains the GAN only."""
    folder = clone(tmp_path_factory.mktemp("fine") / "repo")
    settings = models.settings_class("rrdbnet")(**SETTINGS)
    network = models.build("rrdbnet", settings)
    snapshot.save(folder / "start.safetensors", network, name="rrdbnet", settings=settings)
    choose(folder, "esrgan")
    text = (folder / "params.yaml").read_text()
    head, esrgan = text.split("\n  esrgan:\n", 1)
    changed = PRETRAIN.replace("}}", "}, training: {steps: 0}}")
    esrgan = esrgan.replace(PRETRAIN, changed, 1)
    (folder / "params.yaml").write_text(f"{head}\n  esrgan:\n{esrgan}")
    return folder


def weights(path):
    return snapshot.load(path).network.state_dict()


def test_without_a_file_of_weights_0_steps_are_refused(repository):
    text = run(repository, "dvc", "repro", ok=False)
    assert "pretrain.training.steps: must be at least 1 for random weights (got 0)" in text


def test_the_name_of_public_weights_is_answered_with_the_command(repository):
    edit(repository, "init_from: data/random", "init_from: realesrgan-x4plus")
    text = run(repository, "dvc", "repro", ok=False)
    assert "dvc exp run -S init_from=$(srmodels download realesrgan-x4plus)" in text
    edit(repository, "init_from: realesrgan-x4plus", "init_from: data/random")


def test_the_gan_phase_begins_with_the_weights_and_keeps_its_discriminator(repository):
    edit(repository, "init_from: data/random", "init_from: start.safetensors")
    run(repository, "dvc", "repro")
    folder = repository / "weights"
    start = weights(repository / "start.safetensors")
    pretrained, final = (weights(folder / f"{n}.safetensors") for n in ("pretrained", "generator"))
    for key, value in start.items():
        assert torch.equal(pretrained[key], value)
    assert any(not torch.equal(final[key], value) for key, value in start.items())
    assert json.loads((repository / "metrics" / "pretrain.json").read_text())["pretrain"] == {
        "steps": 0
    }
    scores = json.loads((repository / "metrics" / "evaluate.json").read_text())["test"]
    assert scores["generator"] != scores["pretrained"]

    first = weights(folder / "discriminator.safetensors")
    (folder / "discriminator.safetensors").rename(repository / "first.safetensors")
    line = "          num_stages: 2\n"  # the last of the discriminator's
    text = (repository / "params.yaml").read_text()
    head, esrgan = text.split("\n  esrgan:\n", 1)
    added = f"{line}        init_discriminator_from: first.safetensors\n"
    assert line in esrgan
    esrgan = esrgan.replace(line, added, 1)
    (repository / "params.yaml").write_text(f"{head}\n  esrgan:\n{esrgan}")
    assert "the discriminator starts from" in run(repository, "dvc", "repro")
    again = weights(folder / "discriminator.safetensors")
    assert any(not torch.equal(again[key], value) for key, value in first.items())
