"""A snapshot rebuilds its network, has equal bytes for equal weights, and says what is wrong."""

import json
import os
import re
import struct
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from srmodels import models, snapshot
from srmodels.errors import ConfigError, WeightsError
from tests.inference.small import small_settings

SETTINGS = models.settings_class("srcnn")()


def network():
    return models.build("srcnn", SETTINGS).eval()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "generator.safetensors"


def saved(path, net=None, settings=SETTINGS, name="srcnn"):
    snapshot.save(path, network() if net is None else net, name=name, settings=settings)
    return path


def rewritten(path, tensors=None, **spec):
    """The same file with other tensors, or another spec."""
    with safe_open(path, framework="pt") as file:
        old = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        text = file.metadata()["srmodels"]
    new = json.dumps(json.loads(text) | spec)
    save_file(old if tensors is None else tensors(old), path, metadata={"srmodels": new})
    return path


@pytest.mark.parametrize("name", models.names())
def test_every_network_comes_back_as_it_was_saved(path, name):
    settings = small_settings(name)
    built = models.build(name, settings)
    read = snapshot.load(saved(path, built, settings, name))
    assert (read.name, read.settings) == (name, settings)
    assert not read.network.training
    expected = built.state_dict()
    assert read.network.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[k]) for k, value in read.network.state_dict().items())


def test_equal_weights_give_equal_bytes(tmp_path):
    built = network()
    files = [saved(tmp_path / f"{i}.safetensors", built).read_bytes() for i in range(5)]
    assert len(set(files)) == 1


def test_the_memory_layout_does_not_change_the_bytes(tmp_path):
    built = network()
    plain = saved(tmp_path / "a", built).read_bytes()
    assert saved(tmp_path / "b", built.to(memory_format=torch.channels_last)).read_bytes() == plain


def test_saving_what_was_loaded_gives_the_same_bytes(path, tmp_path):
    first = saved(path)
    second = saved(tmp_path / "again", snapshot.load(first).network)
    assert second.read_bytes() == first.read_bytes()


def test_the_spec_is_one_metadata_key_of_sorted_json(path):
    with safe_open(saved(path), framework="pt") as file:
        metadata = file.metadata()
    assert list(metadata) == ["srmodels"]
    spec = json.loads(metadata["srmodels"])
    assert spec["network"] == "srcnn"
    assert metadata["srmodels"] == json.dumps(spec, sort_keys=True)


def test_a_file_is_replaced_whole_and_nothing_else_is_left(path):
    saved(path, network())
    saved(path, network())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_failed_write_leaves_the_old_file(path, monkeypatch):
    before = saved(path).read_bytes()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as error:
        saved(path, network())
    assert error.value.filename == str(path)
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_the_folder_is_made(tmp_path):
    assert saved(tmp_path / "new" / "folder" / "weights.safetensors").is_file()


def test_a_missing_file_is_named(path):
    with pytest.raises(WeightsError, match=r"generator\.safetensors: no such file. Check the path"):
        snapshot.load(path)


def test_only_for_the_default_path_the_command_that_writes_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match=r"`make repro`.*realesrgan-x4plus"):
        snapshot.load(Path("weights/generator.safetensors"))


@pytest.mark.parametrize("content", [b"", b"PK\3\4 a pickle", struct.pack("<Q", 10**12)])
def test_what_is_no_safetensors_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="is no whole safetensors file"):
        snapshot.load(path)


def test_a_truncated_file_is_refused(path):
    content = saved(path).read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(WeightsError, match="is no whole safetensors file"):
        snapshot.load(path)


def test_weights_without_a_spec_are_refused(path):
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match="no settings"):
        snapshot.load(path)


def test_a_spec_that_is_no_json_is_refused(path):
    save_file({"weight": torch.zeros(3)}, path, metadata={"srmodels": "not json"})
    with pytest.raises(WeightsError, match=r"reads format 1 \(got 'not json'"):
        snapshot.load(path)


def test_another_format_version_is_refused(path):
    with pytest.raises(WeightsError, match=r"this version reads format 1 \(got 99\)"):
        snapshot.load(rewritten(saved(path), format=99))


def test_an_unknown_network_is_refused_with_a_guess(path):
    with pytest.raises(WeightsError, match=r"generator\.safetensors.*'srcn'.*did you mean srcnn"):
        snapshot.load(rewritten(saved(path), network="srcn"))


def test_settings_that_the_network_does_not_know_are_refused(path):
    with pytest.raises(WeightsError, match=r"generator\.safetensors: settings\.colour: unknown"):
        snapshot.load(rewritten(saved(path), settings={"colour": 1}))


def test_missing_tensors_are_named(path):
    def fewer(tensors):
        return dict(sorted(tensors.items())[1:])

    first = min(network().state_dict())
    with pytest.raises(WeightsError, match=rf"do not fit srcnn \(got 1 missing: {first}"):
        snapshot.load(rewritten(saved(path), fewer))


def test_unexpected_tensors_are_named(path):
    def more(tensors):
        return tensors | {f"extra.{i}": torch.zeros(1) for i in range(5)}

    with pytest.raises(WeightsError, match=r"5 unexpected: extra\.0, extra\.1, extra\.2, \.\.\."):
        snapshot.load(rewritten(saved(path), more))


def test_tensors_of_another_shape_are_named_with_both_shapes(path):
    def cut(tensors):
        return {key: value[:1].clone() for key, value in tensors.items()}

    with pytest.raises(WeightsError, match=r"of another shape: .* \(1,.*\) instead of \("):
        snapshot.load(rewritten(saved(path), cut))


def test_buffers_are_saved_with_the_weights(path):
    settings = small_settings("srresnet")
    built = models.build("srresnet", settings)
    norm = next(module for module in built.modules() if isinstance(module, nn.BatchNorm2d))
    norm.running_mean.fill_(7)
    read = snapshot.load(saved(path, built, settings, "srresnet")).network
    found = next(module for module in read.modules() if isinstance(module, nn.BatchNorm2d))
    assert (found.running_mean == 7).all()


@pytest.mark.parametrize("name", models.names("generator"))
def test_a_network_is_started_with_the_weights_of_another_run(path, name):
    settings = small_settings(name)
    source, target = (models.build(name, settings) for _ in range(2))
    snapshot.warm_start(target, saved(path, source, settings, name))
    expected = source.state_dict()
    assert all(torch.equal(value, expected[k]) for k, value in target.state_dict().items())


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_network_is_started_with_public_weights_under_their_older_names(tmp_path, suffix):
    settings = small_settings("rrdbnet")
    source, target = (models.build("rrdbnet", settings) for _ in range(2))
    older = {k.replace("conv_body.", "trunk_conv."): v for k, v in source.state_dict().items()}
    path = tmp_path / f"public{suffix}"
    save_file(older, path) if suffix == ".safetensors" else torch.save({"params": older}, path)
    snapshot.warm_start(target, path)
    assert torch.equal(target.conv_body.weight, source.conv_body.weight)


def test_weights_that_do_not_fit_are_refused_whole_and_the_misfits_are_named(path):
    target = models.build("srresnet", small_settings("srresnet", channels=16))
    before = {key: value.clone() for key, value in target.state_dict().items()}
    settings = small_settings("srresnet", num_blocks=2)
    saved(path, models.build("srresnet", settings), settings, "srresnet")
    with pytest.raises(ConfigError, match=r"^init_from: ") as error:
        snapshot.warm_start(target, path)
    message = str(error.value)
    assert re.search(r"\d+ unexpected: ([\w.]+, ){5}\.\.\.; \d+ of another shape: ", message)
    assert re.search(r"\(8,[^)]*\) instead of \(16,", message)
    assert re.search("the file is of srresnet with {.*'num_blocks': 2", message)
    assert all(torch.equal(value, before[k]) for k, value in target.state_dict().items())


def test_misfits_of_public_weights_are_told_by_the_networks_own_names(tmp_path):
    state = models.build("rrdbnet", small_settings("rrdbnet")).state_dict()
    older = {key.replace("conv_body.", "trunk_conv."): value for key, value in state.items()}
    torch.save({k: v for k, v in older.items() if k != "conv_last.bias"}, tmp_path / "old.pth")
    target = models.build("rrdbnet", small_settings("rrdbnet"))
    with pytest.raises(
        ConfigError, match=r"network \(got 1 missing: conv_last\.bias\). Use weights"
    ):
        snapshot.warm_start(target, tmp_path / "old.pth")


def test_a_warm_start_names_the_key_and_the_file_that_is_missing(path):
    with pytest.raises(WeightsError, match=r"init_from: no such file .*generator\.safetensors"):
        snapshot.warm_start(network(), path)
