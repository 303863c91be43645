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
    (folder / "params.yaml").touch()
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


def test_two_images_have_no_interval_and_the_setting_to_change_is_named(project, capsys):
    lock = "    params:\n      ../params.yaml:\n        data:\n          photos: /mine\n"
    text = f"stages:\n  photos:\n{lock}          test: 0.05\n"
    write_run(project, [30.0, 30.5])
    (project / "dvc.lock").write_text(text)
    compare(["workspace", "edsr-run"])
    *rows, few, left_out = capsys.readouterr().out.splitlines()
    assert few == "test: no interval over 2 images. Set data.test=0.2 before training."
    assert left_out == "test: only edsr-run has c, d, e; left out"
    assert not any("+" in row.split("+", 1)[-1] for row in rows[1:])


def test_the_bundled_photographs_have_no_share_to_raise(project, capsys):
    lock = "    params:\n      ../params.yaml:\n        data:\n          photos: auto\n"
    write_run(project, [30.0, 30.5])
    (project / "dvc.lock").write_text(f"stages:\n  photos:\n{lock}          test: 0.05\n")
    compare(["workspace", "edsr-run"])
    assert "srmodels use FOLDER" in capsys.readouterr().out.splitlines()[-2]


def test_images_too_few_for_a_tenth_of_a_decibel_are_counted(project, capsys):
    write_run(project, [31.4, 31.1, 30.0, 32.4, 30.5])
    compare(["workspace", "edsr-run"])
    note = capsys.readouterr().out.splitlines()[-1]
    assert note == (
        "test: 5 images are too few to show 0.1 dB at this spread (0.40 dB); about 63 are needed. "
        "Score more images."
    )


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
