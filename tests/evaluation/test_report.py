"""What an evaluation writes, and that it writes the same again."""

import csv
import hashlib
import json

import numpy as np
import pytest
import torch

from srmodels.errors import WeightsError
from srmodels.evaluation.report import evaluate_sets
from srmodels.evaluation.samples import Sampling
from srmodels.images.readers.decode import decode
from srmodels.inference.generators.generator import Generator
from srmodels.resize.tensors import enlarge_image
from tests.inference.small import small


def generator(name="srcnn", scale=4):
    return Generator(network=small(name, scale=scale), name=name, scale=scale)


@pytest.fixture(scope="module")
def generators():
    torch.manual_seed(0)
    return {"pretrained": generator(), "generator": generator("srresnet")}


@pytest.fixture(scope="module")
def sets():
    picture = enlarge_image(np.random.default_rng(0).integers(0, 256, (8, 10, 3), np.uint8), 8)
    five = [(str(number), picture[:40, : 50 + number]) for number in range(5)]
    return {"test": [("cat", picture), ("trip/dog", picture)], "set5": five}


@pytest.fixture(scope="module")
def root(tmp_path_factory, generators, sets):
    folder = tmp_path_factory.mktemp("root")
    evaluate_sets(generators, sets, scale=4, root=folder)
    return folder


def test_the_metrics_hold_every_model_of_every_set(root, generators):
    metrics = json.loads((root / "metrics" / "evaluate.json").read_text())
    assert list(metrics) == [
        "test",
        "set5",
        "protocol",
        "versions",
        "perceptual",
        "parameters",
    ]
    assert list(metrics["set5"]) == ["bicubic", "pretrained", "generator"]
    assert metrics["parameters"] == generators["generator"].parameters


def test_the_table_has_a_row_per_picture_and_model(root):
    with (root / "plots" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * (2 + 5)
    assert rows[0]["set"] == "test"
    assert rows[0]["image"] == "cat"
    assert rows[0]["model"] == "bicubic"


def test_every_test_picture_is_drawn_and_four_of_another_set(root):
    names = sorted(path.name for path in (root / "samples").iterdir())
    assert names == [
        *(f"set5-{number}.png" for number in range(4)),
        "test-cat.png",
        "test-trip__dog.png",
    ]
    assert decode(root / "samples" / "test-cat.png").shape[2] == 3


def digests(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_run_twice_writes_the_same_bytes(root, generators, sets, tmp_path):
    evaluate_sets(generators, sets, scale=4, root=tmp_path)
    assert digests(tmp_path) == digests(root)


def test_samples_of_a_run_before_do_not_stay(generators, sets, tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "set5-99.png").write_bytes(b"old")
    evaluate_sets(generators, {"test": sets["test"]}, scale=4, root=tmp_path)
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert names == ["test-cat.png", "test-trip__dog.png"]


def test_a_generator_of_another_scale_is_refused_by_name(sets, tmp_path):
    wrong = {"generator": generator(scale=2)}
    with pytest.raises(WeightsError, match=r"generator: does not enlarge 4 times \(got 2\)"):
        evaluate_sets(wrong, sets, scale=4, root=tmp_path / "root")


def sampled(folder, sets, **changes):
    """A VAE's evaluation, and what it wrote into the metrics."""
    torch.manual_seed(0)
    vae = generator("srvae")
    evaluate_sets(
        {"pretrained": vae, "generator": vae},
        {"test": sets["test"]},
        scale=4,
        root=folder,
        sampling=Sampling(**changes),
    )
    return json.loads((folder / "metrics" / "evaluate.json").read_text())


def test_a_generator_with_samples_gets_their_row_and_diversity(sets, tmp_path):
    metrics = sampled(tmp_path, sets, number=3, temperature=2.0)
    assert list(metrics["test"]) == ["bicubic", "pretrained", "generator", "samples"]
    keys = list(metrics["test"]["generator"])
    assert list(metrics["test"]["samples"]) == [*keys, "diversity"]
    assert metrics["test"]["samples"]["diversity"] > 0
    assert metrics["protocol"]["samples"][:2] == [
        "3 of each image, latents from the prior",
        "temperature 2",
    ]
    assert "diversity" in metrics["protocol"]


def test_at_a_temperature_of_0_the_samples_score_as_the_generator_does(sets, tmp_path):
    scored = sampled(tmp_path, sets, number=2, temperature=0.0)["test"]
    assert scored["samples"] == {**scored["generator"], "diversity": 0}


def test_samples_have_a_strip_and_rows_of_their_own(sets, tmp_path):
    sampled(tmp_path, sets, number=2)
    assert (tmp_path / "samples" / "test-trip__dog-samples.png").is_file()
    with (tmp_path / "plots" / "per_image.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["image"] == "cat"]
    assert [row["model"] for row in rows] == ["bicubic", "pretrained", "generator", "samples"]
    assert [bool(row["diversity"]) for row in rows] == [False, False, False, True]


def test_samples_are_the_same_bytes_in_the_next_run(sets, tmp_path):
    first, second = (tmp_path / name for name in "ab")
    sampled(first, sets, number=2)
    sampled(second, sets, number=2)
    assert digests(first) == digests(second)


def test_a_generator_without_samples_is_scored_as_if_none_were_asked_for(
    root, generators, sets, tmp_path
):
    evaluate_sets(generators, sets, scale=4, root=tmp_path, sampling=Sampling(number=5))
    assert digests(tmp_path) == digests(root)


def test_the_metrics_say_what_a_row_of_mixed_weights_is(generators, sets, tmp_path):
    few = {"test": sets["test"][:1]}
    evaluate_sets(generators, few, scale=4, root=tmp_path, strengths=[0.8])
    said = json.loads((tmp_path / "metrics" / "evaluate.json").read_text())["protocol"]
    assert said["strength"] == ["strength_S: weights S generator, 1 - S pretrained", "0.8"]
