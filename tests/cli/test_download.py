"""The command `srmodels download`, on a set served from this machine."""

import pytest

from srmodels.cli import download
from srmodels.errors import DataError
from tests.data.datasets.test_catalog import data, tiny  # noqa: F401 - fixtures


@pytest.fixture
def project(tiny, data, monkeypatch):  # noqa: F811
    monkeypatch.setattr(download, "repository", lambda: data.parent)


def test_it_tells_where_the_photographs_lie(project, tmp_path, capsys):
    download.download("tiny", official_lr=True)
    folder = tmp_path / "cache/unpacked/tiny.tar/T"
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"{folder / 'HR'}: 2 photographs for train, validation",
        f"{folder / 'LR/X4'}: 1 LR pictures",
    ]


def test_an_unknown_name_gets_the_nearest_guess(project):
    with pytest.raises(
        DataError, match=r"NAME: .*'tinny'.*tiny, mix, perceptual, .*\(did you mean tiny\?\)"
    ):
        download.download("tinny")


def test_perceptual_brings_the_metrics_weights(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("srmodels.pretrained.fetch.fetch_weights", lambda: [tmp_path / "one"])
    download.download("perceptual")
    assert capsys.readouterr().out == f"{tmp_path / 'one'}\n"
