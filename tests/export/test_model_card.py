"""A model card tells what dvc.lock vouches for, and says of everything else that it is unknown."""

import json
from hashlib import md5

import pytest
from ruamel.yaml import YAML

from srmodels import snapshot
from srmodels.errors import ConfigError
from srmodels.export.model_card import model_card
from srmodels.export.provenance import provenance_of
from srmodels.snapshot import Snapshot
from tests.inference.small import small, small_settings

TRAINING = {"steps": 900, "patch_size": 24}
METRICS = {
    "Set5": {"bicubic": {"psnr_y": 28.43, "ssim_y": 0.8113}, "generator": {"psnr_y": 30.5}},
    "protocol": {"border": ["4 pixels"]},
}


def digest(path):
    return md5(path.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.fixture
def repository(tmp_path):
    """Weights with the dvc.lock and the metrics of the pipeline that made them."""
    weights = tmp_path / "weights" / "generator.safetensors"
    snapshot.save(weights, small("srcnn"), name="srcnn", settings=small_settings("srcnn"))
    for name, content in (("evaluate", METRICS), ("patches", {"photos_read": 9})):
        (tmp_path / "metrics").mkdir(exist_ok=True)
        (tmp_path / "metrics" / f"{name}.json").write_text(json.dumps(content))

    def files(*paths):
        return [{"path": path, "md5": digest(tmp_path / path)} for path in paths]

    patches, photos = {"path": "data/patches", "md5": "p.dir"}, {"md5": "f.dir"}
    phase = {"objective": {"name": "gan", "kind": "vanilla"}, "training": TRAINING}
    shared = {"batch_size": 8, "patch_size": 64}  # the preset's, under the recipe's own
    stages = {
        "photos": {
            "params": {"../params.yaml": {"data": {"photos": "div2k"}}},
            "outs": [{"path": "photos", **photos}],
        },
        "patches": {
            "deps": [{"path": "data/photos", **photos}],
            "outs": [patches, *files("metrics/patches.json")],
        },
        "gan": {
            "deps": [dict(patches)],
            "params": {
                "params.yaml": {
                    "models.srgan.paper.adversarial": phase,
                    "training.paper.adversarial": shared,
                    "seed": 3,
                }
            },
            "outs": files("weights/generator.safetensors"),
        },
        "evaluate": {
            "deps": files("weights/generator.safetensors"),
            "outs": files("metrics/evaluate.json"),
        },
    }
    YAML().dump({"stages": stages}, tmp_path / "dvc.lock")
    return weights


def card(weights, licence="mit"):
    loaded = snapshot.load(weights)
    generator = Snapshot(network=loaded.network, name="srcnn", settings=loaded.settings)
    files = {"safetensors": weights}
    return model_card(generator, files=files, origin=provenance_of(weights), license=licence)


def test_a_card_tells_recipe_data_training_and_scores(repository):
    text = card(repository)
    assert "- recipe `srgan`, preset `paper`, seed 3" in text
    assert "- photographs: `div2k`" in text
    assert "- 9 photographs read" in text
    assert "adversarial: objective gan (vanilla), 900 steps of 8 crops of 24 LR pixels" in text
    assert "| Set5 | this model | 30.50 | - |" in text
    assert "- border: 4 pixels" in text


def test_no_folder_of_this_machine_is_told(repository):
    lock = repository.parents[1] / "dvc.lock"
    content = YAML(typ="safe").load(lock)
    content["stages"]["photos"]["params"]["../params.yaml"]["data"]["photos"] = "/home/me/cats"
    start = {"path": "/home/me/start.pth", "md5": "57a27"}
    content["stages"]["pretrain"] = {"deps": [{"path": "data/patches", "md5": "p.dir"}, start]}
    YAML().dump(content, lock)
    text = card(repository)
    assert "- photographs: `cats`" in text
    assert "started from the weights `start.pth, MD5 57a27`" in text
    assert "/home" not in text


def test_its_head_is_what_hugging_face_reads(repository):
    head = YAML(typ="safe").load(card(repository).split("---\n")[1])
    assert (head["license"], head["pipeline_tag"]) == ("mit", "image-to-image")
    result = head["model-index"][0]["results"][0]
    assert result["dataset"]["name"] == "Set5"
    assert result["metrics"] == [{"type": "psnr", "name": "PSNR-Y (dB)", "value": 30.5}]


def test_of_other_weights_in_the_same_folder_nothing_is_known(repository):
    other = repository.with_name("other.safetensors")
    snapshot.save(
        other, small("srcnn", scale=2), name="srcnn", settings=small_settings("srcnn", scale=2)
    )
    text = card(other)
    assert "Unknown: no dvc.lock" in text
    assert "Unknown: no metrics of these very weights" in text
    assert "model-index" not in text


@pytest.mark.parametrize(
    ("file", "gone"), [("evaluate", "| Set5 |"), ("patches", "9 photographs read")]
)
def test_metrics_that_have_changed_since_are_not_told(repository, file, gone):
    path = repository.parents[1] / "metrics" / f"{file}.json"
    path.write_text(path.read_text() + "\n")
    text = card(repository)
    assert gone not in text
    assert "nknown" in text


def test_data_that_was_made_anew_since_is_not_told(repository):
    lock = repository.parents[1] / "dvc.lock"
    lock.write_text(lock.read_text().replace("p.dir", "q.dir", 1))
    text = card(repository)
    assert "- photographs: unknown" in text
    assert "div2k" not in text


@pytest.mark.parametrize("content", ["", "stages:", "stages: [", "- a"])
def test_a_lock_that_cannot_be_read_vouches_for_nothing(repository, content):
    (repository.parents[1] / "dvc.lock").write_text(content)
    assert provenance_of(repository) is None


def test_an_unknown_licence_is_said_to_be_unknown(repository):
    assert "unknown. Set `--license`" in card(repository, "unknown")


@pytest.mark.parametrize("licence", ["My own: all", "", "MIT", "a\nb: c"])
def test_a_licence_that_is_no_identifier_is_refused(repository, licence):
    with pytest.raises(ConfigError, match="license: not an identifier"):
        card(repository, licence)
