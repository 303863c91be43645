import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from srmodels import models, snapshot
from srmodels.errors import ConfigError, WeightsError
from srmodels.params import load, parse
from stages.code import main, naming_uncommitted
from stages.dependencies import SILENT, STAGES, code_digests, digest_of, stage_modules
from stages.initial_weights import check_start
from tests.inference.small import small_settings
from tests.stages.repository import edit, run

ROOT = Path(__file__).parents[2]
VALUES = YAML(typ="safe").load(ROOT / "params.yaml")
RECIPE = parse(VALUES).recipe


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with the settings alone, committed."""
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    run(tmp_path, "git", "init", "-q")
    run(tmp_path, "git", "add", "-A")
    run(tmp_path, "git", "commit", "-qm", "start")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_wrong_setting_that_an_earlier_command_left_is_named(repository):
    edit(repository, "model: srgan", "model: srgna")
    edit(repository, "seed: 0", "seed: 3")
    with pytest.raises(ConfigError) as caught, naming_uncommitted():
        load()
    text = str(caught.value)
    assert "did you mean srgan?" in text
    assert "params.yaml still says model: srgna, seed: 3, which the last commit does not" in text


def test_without_a_change_or_a_commit_only_the_fault_is_told(repository):
    edit(repository, "model: srgan", "model: srgna")
    run(repository, "git", "commit", "-qam", "wrong")
    with pytest.raises(ConfigError) as committed, naming_uncommitted():
        load()
    (repository / ".git").rename(repository / "gone")
    with pytest.raises(ConfigError) as alone, naming_uncommitted():
        load()
    assert "still says" not in f"{committed.value} {alone.value}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("photos: auto", "photos: /nowhere"),
        ("init_from: data/random", "init_from: /nowhere.pth"),
        ("init_from: data/random", "init_from: realesrgan-x4plus"),
    ],
)
def test_a_missing_file_that_an_earlier_command_left_is_named(repository, monkeypatch, old, new):
    shutil.copytree(ROOT / "data", repository / "data", ignore=lambda *_: ["patches", "code"])
    edit(repository, old, new)
    monkeypatch.setattr("sys.argv", ["code"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert f"params.yaml still says {'data.' if 'photos' in new else ''}{new}, " in str(ended.value)
    assert ".." not in str(ended.value)


def write_start(path, network, settings):
    snapshot.save(path, models.build(network, settings), name=network, settings=settings)


def test_weights_of_another_network_end_it_before_any_training(repository, monkeypatch):
    write_start(repository / "start.safetensors", "rrdbnet", small_settings("rrdbnet"))
    edit(repository, "init_from: data/random", "init_from: start.safetensors")
    run(repository, "git", "commit", "-qam", "start")
    monkeypatch.setattr("sys.argv", ["code"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert str(ended.value) == (
        "error: init_from: is of rrdbnet, but srgan has srresnet (got 'start.safetensors'). Use "
        "weights of srresnet, or a recipe with rrdbnet."
    )


def test_weights_of_other_settings_are_told_with_what_differs(tmp_path):
    start, own = tmp_path / "start.safetensors", RECIPE.generator.settings
    params = parse(VALUES | {"init_from": str(start)})
    write_start(start, "srresnet", own)
    check_start(params)
    write_start(start, "srresnet", dataclasses.replace(own, channels=8))
    with pytest.raises(ConfigError) as caught:
        check_start(params)
    place = f"models.{params.model}.{params.preset}.generator"
    assert str(caught.value) == (
        f"init_from: is of srresnet with channels=8, but {params.model} has channels="
        f"{own.channels} (got {str(start)!r}). Use weights of these settings, or change {place}."
    )


def test_a_file_without_a_header_is_tried(tmp_path):
    path = tmp_path / "start.pth"
    params = parse(VALUES | {"init_from": str(path)})
    generator = params.recipe.generator
    torch.save(models.build(generator.name, generator.settings).state_dict(), path)
    check_start(params)
    torch.save({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(ConfigError, match="do not fit this network"):
        check_start(params)


# What the silent modules import is none of the stage's, so stand-ins replace them: each name taken
# from one is an empty class. The packages, the errors and the settings' base class stay themselves.
REAL = {"stages", "srmodels.errors", "srmodels.config"}
IMPORTS = """
import importlib, json, os, sys, types
import numba, pandas, torch._dynamo  # they take long, so all stages have them before they begin
class StandIn(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})
silent, stages = map(json.loads, sys.argv[1:])
for name in silent:
    sys.modules[name] = StandIn(name)
for names in stages:
    if child := os.fork():
        sys.exit(1) if os.waitpid(child, 0)[1] else None
        continue
    for name in names:
        importlib.import_module(name)
    found = [name for name in sys.modules if name.split(".")[0] in ("srmodels", "stages")]
    print(json.dumps(found), flush=True)
    os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process for each stage is forked")
def test_a_stage_imports_nothing_it_does_not_depend_on() -> None:
    names = [[f"stages.{stage}", *stage_modules(stage, RECIPE)] for stage in STAGES]
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, json.dumps(sorted(SILENT - REAL)), json.dumps(names)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for stage, found in zip(STAGES, done.stdout.splitlines(), strict=True):
        allowed = {*stage_modules(stage, RECIPE), *SILENT, "srmodels.engine"}
        assert set(json.loads(found)) <= allowed, stage


def test_a_stage_rests_on_the_networks_of_its_recipe_and_on_no_other() -> None:
    modules = stage_modules("gan", RECIPE)
    assert {"srmodels.models.srresnet", "srmodels.models.patch_discriminator"} <= set(modules)
    assert "srmodels.models.swinir" not in modules
    assert "srmodels.objectives.cycle" not in modules


def test_cutting_patches_does_not_rest_on_networks_or_training() -> None:
    rooms = {module.split(".")[1] for module in stage_modules("patches", RECIPE) if "." in module}
    assert rooms <= {"data", "images", "resize", "atomic", "machine", "patches"}


def test_comments_docstrings_and_layout_do_not_change_a_digest() -> None:
    plain = "def f(x):\n    return x + 1\n"
    told = '"""Module."""\n\ndef f(x):  # why\n    """Doc."""\n    return (x\n            + 1)\n'
    assert digest_of(plain) == digest_of(told)


@pytest.mark.parametrize(
    "source", ["def f(x):\n    return x + 2\n", "def f(x, y=0):\n    return x + 1\n"]
)
def test_code_changes_a_digest(source) -> None:
    assert digest_of("def f(x):\n    return x + 1\n") != digest_of(source)


def test_every_module_a_stage_rests_on_has_a_digest() -> None:
    assert list(code_digests("evaluate", RECIPE)) == stage_modules("evaluate", RECIPE)


def test_missing_weights_of_a_metric_end_it_before_any_training(repository, monkeypatch) -> None:
    def missing(**_: object) -> None:
        raise WeightsError("niqe: no pretrained weights. Run: srmodels download perceptual")

    shutil.copytree(ROOT / "data", repository / "data", ignore=lambda *_: ["patches", "code"])
    monkeypatch.setattr("stages.code.open_perceptual", missing)
    monkeypatch.setattr("sys.argv", ["code"])
    with pytest.raises(SystemExit, match="niqe: no pretrained weights"):
        main()
    assert not (repository / "data" / "code").exists()
