"""What can be asked of a training stage before anything is there."""

import sys

import pytest

from stages import gan, pretrain


@pytest.mark.parametrize("stage", [pretrain, gan])
def test_help_needs_neither_parameters_nor_patches(stage, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stage", "--help"])
    with pytest.raises(SystemExit) as ended:
        stage.main()
    assert ended.value.code == 0
    assert "--profile" in capsys.readouterr().out
