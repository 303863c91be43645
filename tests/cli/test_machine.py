"""`srmodels machine --training` compares with the table of recipes."""

import hashlib
import json

import pytest

from srmodels.cli.machine import training_times


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose weights trained for five minutes, and its row of the table."""
    (tmp_path / "params.yaml").write_text("model: srgan\npreset: quickstart\n")
    (tmp_path / "metrics" / "recipes").mkdir(parents=True)
    row = {
        "preset": "quickstart",
        "device": "AMD EPYC, cores: 2",
        "training": {"pretrain": {"minutes": 1.2}, "gan": {"minutes": 3.1}},
    }
    (tmp_path / "metrics" / "recipes" / "srgan.json").write_text(json.dumps(row))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "generator.safetensors").write_bytes(b"weights")
    digest = hashlib.md5(b"weights", usedforsecurity=False).hexdigest()
    monkeypatch.setattr("srmodels.runs.times.minutes_by_weights", lambda _: {digest: 5.04})
    return tmp_path


def test_the_minutes_stand_beside_those_of_the_table(repository) -> None:
    assert training_times(repository) == (
        "training took 5.0 minutes here, 4.3 where the tables were made: AMD EPYC, cores: 2"
    )


def test_other_weights_another_preset_and_a_recipe_without_row_are_not_compared(repository) -> None:
    (repository / "weights" / "generator.safetensors").write_bytes(b"others")
    assert training_times(repository) is None
    (repository / "weights" / "generator.safetensors").write_bytes(b"weights")
    for text in ("model: srgan\npreset: smoke\n", "model: mine\npreset: quickstart\n"):
        (repository / "params.yaml").write_text(text)
        assert training_times(repository) is None
