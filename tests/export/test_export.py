"""What is exported gives the network's pictures in whatever program reads it."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from srmodels import models, snapshot
from srmodels.errors import ConfigError, WeightsError
from srmodels.export import model_folder, onnx_and_pt2
from srmodels.export.export import FORMATS, export, read_generator
from srmodels.export.model_folder import write_folder
from srmodels.models._dynamic_sizes import min_input_size
from srmodels.pretrained import generators
from srmodels.pretrained.weights import tensors_digest
from srmodels.snapshot import Snapshot
from tests.inference.small import small, small_settings

GENERATORS = models.names("generator")
PUBLIC = [
    ("rrdbnet", {"growth_channels": 32}),
    ("rrdbnet", {"growth_channels": 32, "scale": 2}),
    ("swinir", {}),
    ("swinir", {"upsampler": "direct", "scale": 3}),
    ("srvgg", {}),
]
WITH_PTH = ("rrdbnet", "swinir", "srvgg")
CLOSE = 1e-4  # of [0, 1]; pictures are told apart at 4e-3


def generator_of(name, **changes):
    settings = small_settings(name, **changes)
    return Snapshot(network=small(name, **changes), name=name, settings=settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes"),
    [*((name, {}) for name in GENERATORS), ("rrdbnet", {"upsampler": "pixelshuffle"})],
)
def test_onnx_and_pt2_take_any_size_and_give_the_networks_pictures(name, changes):
    runtime = pytest.importorskip("onnxruntime")
    network = small(name, **changes)
    program = onnx_and_pt2.export_program(network)
    session = runtime.InferenceSession(onnx_and_pt2.export_onnx(program))
    loaded = torch.export.load(io.BytesIO(onnx_and_pt2.export_pt2(program))).module()
    least = min_input_size(network)
    for height, width in ((least, least + 1), (64, 40), (37, 71)):
        lr = torch.rand(1, 3, height, width)
        with torch.inference_mode():
            expected = network(lr)
            torch.testing.assert_close(loaded(lr), expected, rtol=0, atol=CLOSE)
        (sr,) = session.run(["sr"], {"lr": lr.numpy()})
        np.testing.assert_allclose(sr, expected.numpy(), rtol=0, atol=CLOSE)


@pytest.mark.slow
def test_an_onnx_files_axes_have_names_and_its_scale_can_be_read(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    export(generator_of("srvgg"), tmp_path / "a.onnx", file_format="onnx")
    session = runtime.InferenceSession(tmp_path / "a.onnx")
    assert session.get_inputs()[0].shape == [1, 3, "height", "width"]
    assert session.get_outputs()[0].shape == [1, 3, "4*height", "4*width"]
    facts = session.get_modelmeta().custom_metadata_map
    assert (facts["network"], facts["scale"]) == ("srvgg", "4")


@pytest.mark.slow
def test_programs_do_not_name_the_folders_they_were_made_in():
    program = onnx_and_pt2.export_program(small("srcnn"))
    for content in (onnx_and_pt2.export_onnx(program), onnx_and_pt2.export_pt2(program)):
        assert not re.search(rb"srmodels[/\\]", content)


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize(("name", "changes"), PUBLIC)
def test_spandrel_gives_the_networks_pictures_with_an_exported_pth(tmp_path, name, changes):
    spandrel = pytest.importorskip("spandrel")
    generator = generator_of(name, **changes)
    difference = export(generator, tmp_path / "a.pth", file_format="pth")
    assert difference is not None
    assert difference < CLOSE
    public = spandrel.ModelLoader().load_from_file(tmp_path / "a.pth")
    assert public.scale == generator.network.scale
    lr = torch.rand(1, 3, 24, 17)
    with torch.inference_mode():
        torch.testing.assert_close(
            public.model.eval()(lr), generator.network(lr), rtol=0, atol=CLOSE
        )


def test_an_exported_pth_is_read_as_the_generator_it_was(tmp_path):
    generator = generator_of("rrdbnet", growth_channels=32)
    export(generator, tmp_path / "a.pth", file_format="pth")
    loaded = read_generator(tmp_path / "a.pth")
    assert (loaded.name, loaded.settings) == ("rrdbnet", generator.settings)


def test_safetensors_are_the_snapshots_bytes(tmp_path):
    generator = generator_of("srcnn")
    snapshot.save(tmp_path / "saved", generator.network, name="srcnn", settings=generator.settings)
    assert export(generator, tmp_path / "exported", file_format="safetensors") == 0
    assert (tmp_path / "exported").read_bytes() == (tmp_path / "saved").read_bytes()


@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        *((name, {}, "has no layout") for name in GENERATORS if name not in WITH_PTH),
        ("rrdbnet", {"growth_channels": 16}, "growth_channels 16"),
        ("rrdbnet", {"growth_channels": 32, "residual_scale": 0.1}, "residual_scale 0.1"),
        ("rrdbnet", {"growth_channels": 32, "upsampler": "pixelshuffle"}, "upsampler pixelshuffle"),
        ("rrdbnet", {"growth_channels": 32, "scale": 3}, "scale 3"),
    ],
)
def test_a_network_without_a_public_layout_has_no_pth(tmp_path, name, changes, problem):
    with pytest.raises(ConfigError, match=problem):
        export(generator_of(name, **changes), tmp_path / "a.pth", file_format="pth")
    assert not list(tmp_path.iterdir())


def test_an_export_that_gives_other_pictures_is_removed(tmp_path, monkeypatch):
    other = generator_of("srcnn").network
    with torch.no_grad():
        next(other.parameters()).add_(0.1)
    monkeypatch.setattr(onnx_and_pt2, "export_program", lambda _: torch.export.export(
        other, (torch.rand(1, 3, 16, 16),),
        dynamic_shapes=({2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC},),
    ))  # fmt: skip
    with pytest.raises(WeightsError, match="output differs from the network's"):
        export(generator_of("srcnn"), tmp_path / "a.pt2", file_format="pt2")
    assert not list(tmp_path.iterdir())


def test_a_network_that_gives_nan_is_not_exported(tmp_path):
    broken = generator_of("srcnn")
    with torch.no_grad():
        next(broken.network.parameters()).fill_(float("nan"))
    with pytest.raises(WeightsError, match="got nan of 255"):
        export(broken, tmp_path / "a.safetensors", file_format="safetensors")


def test_a_discriminator_is_not_exported(tmp_path):
    settings = small_settings("patch_discriminator")
    path = tmp_path / "a.safetensors"
    snapshot.save(path, small("patch_discriminator"), name="patch_discriminator", settings=settings)
    with pytest.raises(WeightsError, match=r"not a generator \(got patch_discriminator\)"):
        read_generator(path)


@pytest.mark.slow
def test_a_folder_holds_every_form_that_there_is_checked_and_a_card(tmp_path, caplog):
    generator, source = generator_of("srcnn"), tmp_path / "weights.safetensors"
    export(generator, source, file_format="safetensors")
    files = write_folder(generator, tmp_path / "out", weights=source, license="mit")
    assert list(files) == [name for name in FORMATS if name not in ("pth", "ncnn")]
    assert "not checked" not in caplog.text
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"README.md", "config.json", *(path.name for path in files.values())}


def export_safetensors_alone(generator, path, *, file_format):
    """In place of all formats, of which others are slow; the card wants their files."""
    if file_format == "pth":
        raise ConfigError("no public layout")
    return export(generator, path, file_format="safetensors")


@pytest.mark.parametrize("licence", ["unknown", "mit"])
def test_the_card_of_public_weights_says_what_is_known_of_them(
    tmp_path, caplog, monkeypatch, licence
):
    generator, source = generator_of("srcnn"), tmp_path / "copied.safetensors"
    digest = tensors_digest(generator.network.state_dict())
    toy = replace(generators.PUBLIC["realesrgan-x4plus"], tensors_sha256=digest)
    monkeypatch.setitem(generators.PUBLIC, "toy", toy)
    monkeypatch.setattr(model_folder, "export", export_safetensors_alone)
    export(generator, source, file_format="safetensors")
    model_folder.write_folder(generator, tmp_path / "out", weights=source, license=licence)
    text = (tmp_path / "out" / "README.md").read_text()
    known = {"unknown": "bsd-3-clause"}.get(licence, licence)
    assert f"\nlicense: {known}\n" in text
    assert "\n# toy\n" in text
    assert f"By its authors, for {toy.trained_for}: {toy.source}" in text
    assert ("bsd-3-clause, as published at https://github.com/xinntao" in text) != (known == "mit")
    assert "licence is unknown" not in caplog.text


def test_a_folder_that_holds_the_weights_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="Name another folder"):
        write_folder(generator_of("srcnn"), tmp_path, weights=tmp_path / "weights.safetensors")
