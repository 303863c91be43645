"""The stage `mix`: DVC watches every member."""

import subprocess

import pytest

from tests.stages.repository import clone, run


@pytest.mark.slow
def test_a_change_in_any_member_of_a_mix_is_noticed(tmp_path):
    folder, mine = clone(tmp_path / "repo"), tmp_path / "mine"
    mine.mkdir()
    (mine / "a.png").write_bytes(b"a")
    (folder / "data/mix/mix.yaml").write_text(f"mix: {{mine: {mine}, bsds: bsds}}\n")
    run(folder, "dvc", "repro", "mix")
    assert "up to date" in run(folder, "dvc", "repro", "mix")
    (mine / "b.png").write_bytes(b"b")
    text = run(folder, "dvc", "repro", "mix")
    assert "Running stage 'mix@mine'" in text
    assert "Running stage 'mix@bsds'" not in text
    assert (folder / "data/mix/mine.csv").read_text().count(".png") == 2
    status = subprocess.run(
        ["git", "status", "--short", "data"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert status.stdout.split() == ["M", "data/mix/mix.yaml"]
