"""The command `srmodels export`, as people type it."""

import pytest

from tests.cli.test_main import typed, weights  # noqa: F401 - fixtures

# ruff: noqa: F811 - a fixture's name is that of the argument


@pytest.mark.parametrize("words", [(), ("--format", "safetensors")])
def test_a_mistyped_suffix_is_no_folder(typed, weights, tmp_path, words):
    output = tmp_path / "gen.onx"
    code, _, err = typed("export", weights, "-o", output, *words)
    assert (code, output.exists()) == (1, False)
    assert f"-o {output}: unknown format (got '.onx'). Use one of .safetensors, .pth, .onnx" in err


@pytest.mark.parametrize("name", ["gen", "gen.1/", "there.1"])
def test_a_folder_has_no_suffix_or_a_slash_or_exists(typed, weights, tmp_path, name):
    (tmp_path / "there.1").mkdir()
    words = ("-o", f"{tmp_path}/{name}", "--format", "safetensors")
    code, out, err = typed("export", weights, *words)
    assert code == 0, err
    assert out.strip() == f"{tmp_path / name}/{weights.stem}.safetensors"
