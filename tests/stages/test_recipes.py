"""Every recipe through the stages in the smoke preset; and one that is added, by real DVC."""

import importlib
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.stages.repository import PERCEPTUAL, ROOT, copy_of, edit, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # alembic's and mlflow's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # mlflow leaves its engine to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

VALUES = YAML(typ="safe").load(ROOT / "params.yaml")
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
MODELS = [*VALUES["models"]]
TRAINED = ("code", "pretrain", "gan", "evaluate")  # the stages that depend on the recipe
ELEVENTH = '''
"""Nearest neighbour with one learnt convolution after it."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

ROLE = "generator"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How much larger."""

    scale: int = 4


class Eleventh(nn.Module):
    """One convolution."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.scale, self.padding, self.multiple = settings.scale, 1, 1
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, lr: Tensor) -> Tensor:
        return self.conv(F.interpolate(lr, scale_factor=self.scale, mode="nearest"))


def build(settings: Settings) -> Eleventh:
    return Eleventh(settings)
'''
SECTION = """
  eleventh:
    smoke:
      generator: {network: eleventh}
      pretrain:
        objective: {name: pixel, kind: l1}
        training: {steps: 4, batch_size: 2, patch_size: 16, log_every: 2, validate_every: 4}
      adversarial: null
"""


@pytest.fixture(scope="module")
def repository(smoke, tmp_path_factory) -> Path:
    return copy_of(smoke, tmp_path_factory.mktemp("recipes") / "repo")


@pytest.fixture
def stage(repository, monkeypatch):
    """A function that runs a stage as `dvc repro` does, in this process: imports take longest."""
    monkeypatch.chdir(repository)
    monkeypatch.setattr(sys, "argv", ["stage"])
    before = Path("params.yaml").read_text()

    def run_stage(name: str) -> None:
        outs = [next(iter(each)) if isinstance(each, dict) else each for each in outs_of(name)]
        for out in map(Path, outs):
            shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)
            out.parent.mkdir(exist_ok=True)
        importlib.import_module(f"stages.{name}").main()
        assert all(Path(out).exists() for out in outs)

    yield run_stage
    Path("params.yaml").write_text(before)


def outs_of(stage: str) -> list:
    return [each for kind in ("outs", "metrics", "plots") for each in STAGES[stage].get(kind, [])]


def choose(folder: Path, model: str) -> None:
    path = folder / "params.yaml"
    path.write_text(re.sub("^model: [a-z]+", f"model: {model}", path.read_text(), flags=re.M))


def scores(folder: Path) -> dict:
    return json.loads((folder / "metrics" / "evaluate.json").read_text())


def test_the_recipes_are_there() -> None:
    assert set(MODELS) >= {
        *("srcnn", "srresnet", "srgan", "esrgan", "realesrgan"),
        *("cyclegan", "srvae", "cvae", "edsr", "swinir", "span", "srvgg"),
    }


@pytest.mark.parametrize("name", TRAINED[1:])  # `code` depends on the whole file
def test_dvc_finds_the_parameters_of_every_recipe_in_every_preset(name) -> None:
    for model, presets in VALUES["models"].items():
        for preset in presets:
            for key in STAGES[name]["params"]:
                value = VALUES
                for part in key.replace("${model}", model).replace("${preset}", preset).split("."):
                    value = value[part]


@pytest.mark.parametrize("model", MODELS)
def test_every_recipe_runs_through_the_stages_and_is_scored(repository, stage, model) -> None:
    choose(repository, model)
    for name in TRAINED:
        stage(name)
    rows = scores(repository)["test"]
    assert rows["generator"]["psnr_y"] > 15
    latent = model in ("cvae", "srvae")
    assert ("diversity" in json.dumps(rows)) == latent


def test_a_gan_is_watched_and_scored_by_lpips(repository, stage) -> None:
    choose(repository, "srgan")
    edit(repository, *reversed(PERCEPTUAL))
    for name in TRAINED[1:]:
        stage(name)
    rows = scores(repository)["test"]
    assert all(0 < row[name] < 1 for row in rows.values() for name in ("lpips", "dists"))
    metrics = json.loads((repository / "metrics" / "gan.json").read_text())
    assert "best_lpips" in metrics["gan"]
    assert metrics["gan"]["precision"] in ("bf16-mixed", "32-true")
    assert (repository / "weights" / "generator_best.safetensors").is_file()


@pytest.mark.long
def test_an_eleventh_network_takes_one_file_and_one_section(smoke, tmp_path) -> None:
    folder = copy_of(smoke, tmp_path / "repo")
    (folder / "srmodels" / "models" / "eleventh.py").write_text(ELEVENTH)
    with (folder / "params.yaml").open("a") as file:
        file.write(SECTION)
    choose(folder, "eleventh")
    text = run(folder, "dvc", "repro")
    assert "Running stage 'pretrain'" in text
    assert "Running stage 'patches'" not in text
    assert scores(folder)["test"]["generator"]["psnr_y"] > 1


@pytest.mark.long
def test_pretraining_begins_with_the_weights_of_a_file_and_runs_again_if_they_change(
    repository,
) -> None:
    choose(repository, "srresnet")
    run(repository, "dvc", "repro")
    run(repository, "git", "add", "-A")
    run(repository, "git", "commit", "-qm", "srresnet")
    weights = ("weights/pretrained.safetensors", "--rev", "HEAD", "-o", "start.safetensors")
    run(repository, "dvc", "get", ".", *weights)
    choose(repository, "srgan")
    edit(repository, "init_from: data/random", "init_from: start.safetensors")
    assert "srgan starts from start.safetensors" in run(repository, "dvc", "repro")
    assert "up to date" in run(repository, "dvc", "repro")
    start = repository / "start.safetensors"
    shutil.copy(repository / "weights" / "generator.safetensors", start)
    text = run(repository, "dvc", "repro")
    assert "Running stage 'pretrain'" in text
    edit(repository, "init_from: start.safetensors", "init_from: gone.safetensors")
    kept = (repository / "weights" / "pretrained.safetensors").read_bytes()
    text = run(repository, "dvc", "repro", ok=False)
    assert "init_from: no such file (got 'gone.safetensors')" in text
    assert (repository / "weights" / "pretrained.safetensors").read_bytes() == kept
