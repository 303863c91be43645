"""The commands `srmodels compare` and `srmodels report`, on a repository of toy runs."""

import pytest

from srmodels import snapshot
from srmodels.cli.compare import compare, report
from srmodels.errors import ConfigError, ProtocolError
from srmodels.images.writers.write import write_picture
from tests.comparison.runs import PROTOCOL, repository, write_run
from tests.inference.small import small, small_settings


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = repository(tmp_path / "project", edsr=[31.0, 31.5, 30.4, 32.1, 30.2])
    monkeypatch.chdir(folder)
    return folder


def test_two_experiments_are_compared_image_by_image(project, capsys):
    compare(["workspace", "edsr-run"])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0].endswith("difference 95 % interval against workspace")
    assert lines[1] == "test 5 psnr_y up workspace (srgan) 30.000"
    assert lines[2].startswith("test 5 psnr_y up edsr-run (edsr) 31.040 +1.0400 +0.9600 to +1.1")
    assert lines[2].endswith(" better")
    assert lines[4].endswith("no difference shown")


def test_a_set_of_few_images_is_said_to_show_little(project, capsys):
    write_run(project, [30.0, 30.5])
    compare(["workspace", "edsr-run"])
    *_, few, left_out = capsys.readouterr().out.splitlines()
    assert few == "test: an interval over 2 images shows little. Score more."
    assert left_out == "test: only edsr-run has c, d, e; left out"


def test_means_alone_are_compared_without_intervals(project, capsys):
    for name in ("metrics", "plots"):
        (project / name).rename(project / f"old_{name}")
    compare(["old_metrics/evaluate.json", "edsr-run"])
    out = capsys.readouterr().out
    assert "perhaps" not in out
    assert out.splitlines()[-1].startswith("test: only means are known, so no interval")


def test_another_protocol_is_refused_by_its_field(project):
    write_run(project, [30.0], protocol=PROTOCOL | {"scale": ["2"]})
    with pytest.raises(ProtocolError, match=r"edsr-run: .* scale differs \(got 4; .* 2"):
        compare(["workspace", "edsr-run"])


@pytest.mark.parametrize("names", [["workspace"], ["workspace", "workspace"]])
def test_one_experiment_alone_is_refused(project, names):
    with pytest.raises(ConfigError, match="compare: only one experiment"):
        compare(names)


@pytest.mark.slow
def test_a_report_shows_the_models_it_can_get(project, capsys, photo):
    (project / "weights").mkdir()
    snapshot.save(
        project / "weights" / "generator.safetensors",
        small("srcnn"),
        name="srcnn",
        settings=small_settings("srcnn"),
    )
    write_picture(project / "data" / "patches" / "test" / "a.png", photo)
    report(crops=1, device="cpu")
    out, err = capsys.readouterr()
    assert out.startswith("report.html: workspace, edsr-run; ")
    assert "edsr-run (edsr): " in err
    text = (project / "report.html").read_text()
    assert text.count("data:image/webp") == 3 * (1 + 1)  # HR, bicubic, workspace; one window
    assert "cannot be fetched" in text
