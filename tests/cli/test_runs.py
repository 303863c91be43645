"""The command `srmodels list`, on a repository of toy runs."""

import pytest

from srmodels.cli.runs import list_experiments
from srmodels.comparison.listing import experiment_table
from srmodels.comparison.selection import all_experiments
from srmodels.errors import ProtocolError
from tests.comparison.runs import repository, write_run


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = repository(tmp_path / "project", edsr=[31.0] * 5, srcnn=[29.0] * 5)
    (folder / "params.yaml").touch()
    monkeypatch.chdir(folder)
    return folder


def listed(capsys, **options):
    list_experiments(**options)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_all_experiments_are_listed_with_scores_and_date(project, capsys):
    heading, *lines = listed(capsys, sort="psnr")
    assert heading == "experiment recipe preset test set PSNR-Y LPIPS minutes date"
    assert [line.rpartition(" ")[0] for line in lines] == [
        "edsr-run edsr smoke test (5) 31.00 - -",
        "workspace srgan smoke test (5) 30.00 - -",
        "srcnn-run srcnn smoke test (5) 29.00 - -",
    ]
    assert all(len(line.rpartition(" ")[2].split("-")) == 3 for line in lines)


def test_experiments_on_other_images_are_apart(project, capsys):
    write_run(project, [30.0] * 5, bicubic=21.0)
    lines = listed(capsys, sort="name")
    assert [line.partition(" ")[0] for line in lines[1:]] == [
        "workspace",
        "",
        "edsr-run",
        "srcnn-run",
    ]


def test_long_names_are_shortened_to_a_hundred_columns(tmp_path):
    folder = repository(tmp_path / "p", **{"x" * 60: [31.0] * 5})
    groups, _ = all_experiments(folder)
    text = experiment_table(groups, minutes={}, root=folder)
    assert max(map(len, text.splitlines())) <= 100
    assert "…" in text


def test_minutes_are_those_of_the_weights(project):
    digest = "0" * 32
    output = f"- path: weights/generator.safetensors\n  hash: md5\n  md5: {digest}\n"
    lock = f"  models.srgan.smoke.generator:\n{output}"
    (project / "dvc.lock").write_text(lock)
    groups, _ = all_experiments(project)
    text = experiment_table(groups, minutes={digest: 12.34}, root=project)
    assert "12.3 " in text.splitlines()[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_set": "Set6"}, "--set: unknown name .got 'Set6'"),
        ({"sort": "psnt"}, "did you mean psnr"),
    ],
)
def test_an_unknown_set_or_order_is_one_line(project, options, message):
    with pytest.raises(ProtocolError, match=message):
        list_experiments(**options)
