"""The short table people read."""

import json

import pytest

from srmodels.errors import ProtocolError
from srmodels.evaluation.table import read_metrics, short_table

METRICS = {
    "test": {
        "bicubic": {"psnr_y": 25.0, "ssim_y": 0.7, "sharpness": 0.2, "colour_shift": 1.0},
        "generator": {"psnr_y": 26.126, "ssim_y": 0.75, "sharpness": 0.61, "colour_shift": 0.9},
    },
    "protocol": {"psnr_y": ["dB"]},
    "parameters": 5,
}


def test_the_table_has_a_line_per_model():
    lines = short_table(METRICS).splitlines()
    assert lines[0].split() == [
        "set",
        "model",
        "PSNR-Y",
        "(dB)",
        "SSIM-Y",
        "sharpness",
        "colour",
        "shift",
    ]
    assert lines[2].split() == ["test", "generator", "26.13", "0.7500", "0.61", "0.90"]
    assert len({len(line) for line in lines}) == 1


def test_the_markdown_table_has_a_rule_below_its_head():
    lines = short_table(METRICS, markdown=True).splitlines()
    assert lines[1] == "| --- | --- | ---: | ---: | ---: | ---: |"
    assert lines[3] == "| test | generator | 26.13 | 0.7500 | 0.61 | 0.90 |"


def test_a_column_for_the_diversity_stands_only_beside_samples():
    samples = METRICS["test"]["generator"] | {"diversity": 1.234}
    metrics = METRICS | {"test": METRICS["test"] | {"samples": samples}}
    lines = short_table(metrics).splitlines()
    assert lines[0].split()[-1] == "diversity"
    assert lines[2].split()[-1] == "-"
    assert lines[3].split()[-2:] == ["0.90", "1.23"]
    assert "diversity" not in short_table(METRICS)


def test_intervals_stand_in_brackets():
    bounds = {"psnr_y_low": 25.5, "psnr_y_high": 26.75, "ssim_y_low": 0.7, "ssim_y_high": 0.8}
    generator = METRICS["test"]["generator"] | bounds
    lines = short_table({"test": METRICS["test"] | {"generator": generator}}).splitlines()
    assert "PSNR-Y (dB) [95 %]" in lines[0]
    assert "26.13 [25.50, 26.75]  0.7500 [0.7000, 0.8000]" in lines[2]
    assert lines[1].split()[2:4] == ["25.00", "0.7000"]


def test_lpips_and_dists_follow_ssim_where_they_are_scores():
    generator = METRICS["test"]["generator"] | {"lpips": 0.2344, "dists": 0.1, "lpips_vgg": 0.5}
    metrics = METRICS | {"test": METRICS["test"] | {"generator": generator}}
    lines = short_table(metrics).splitlines()
    assert "SSIM-Y  LPIPS  DISTS  sharpness" in lines[0]
    assert lines[1].split()[3:6] == ["0.7000", "-", "-"]
    assert lines[2].split()[3:6] == ["0.7500", "0.234", "0.100"]


def test_a_metrics_file_is_read(tmp_path):
    path = tmp_path / "evaluate.json"
    path.write_text(json.dumps(METRICS))
    assert read_metrics(path) == METRICS


@pytest.mark.parametrize(
    ("text", "message"), [(None, "no such file"), ("{", "is no JSON"), ("[1]", "holds no scores")]
)
def test_what_is_no_metrics_file_is_refused_by_name(tmp_path, text, message):
    path = tmp_path / "evaluate.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ProtocolError, match=rf"evaluate\.json: {message}"):
        read_metrics(path)
