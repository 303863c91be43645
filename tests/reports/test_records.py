"""docs/RECORDS.md is that of the saved results, and a record is the best row within its minutes."""

import pytest

from reports import records
from reports.markdown import fill_section
from reports.records import PAGE, flops_of, minutes_of, records_table, sections
from reports.results import read_rows
from reports.training_flops import step_flops, training_flops
from srmodels import models
from srmodels.errors import ProtocolError
from srmodels.params import load


def row(name, minutes, psnr, lpips=None):
    scores = {"psnr_y": psnr} | ({} if lpips is None else {"lpips": lpips})
    training = {stage: {"minutes": value} for stage, value in minutes.items()}
    facts = {"row": name, "training": training, "further": {"Set5": {"generator": scores}}}
    return {**facts, "parameters": 1000, "device": "CPU", "commit": "abc", "settings": []}


ROWS = [
    row("fast", {"pretrain": 0.9}, 31.0),
    row("slow", {"pretrain": 6.0, "gan": 1.9}, 31.5, 0.2),
    row("over", {"pretrain": 8.1}, 31.6),
    row("worse", {"pretrain": 5.0}, 30.0, 0.1),
]


def test_a_record_is_the_best_row_within_its_minutes():
    best = records.records(ROWS, [1, 8, 30])
    assert [(heading, budget, found["row"]) for heading, budget, found in best] == [
        ("PSNR-Y", 1, "fast"),
        ("PSNR-Y", 8, "slow"),
        ("PSNR-Y", 30, "over"),
        ("LPIPS", 8, "worse"),
        ("LPIPS", 30, "worse"),
    ]


def test_a_training_that_was_not_measured_is_no_record():
    unmeasured = {**ROWS[0], "training": {"pretrain": None}}
    assert minutes_of(unmeasured) is None
    assert list(records.records([unmeasured], [1])) == []


def test_a_training_that_begins_with_other_weights_is_no_record():
    tuned = {**ROWS[0], "settings": ["model=srgan", "init_from=/x4plus.safetensors"]}
    assert list(records.records([tuned], [1])) == []


def test_a_line_has_the_scores_the_clock_and_the_command(monkeypatch):
    monkeypatch.setattr(records, "flops_of", lambda result: "1.0e+15")
    line = records_table(ROWS, [8]).splitlines()[2]
    assert line.startswith("| PSNR-Y, 8 min | slow | 31.50 | - | - | - | 7.9 | 1.0e+15 | 1,000 |")
    assert line.endswith("`python -m reports.records run slow` |")


def test_a_replaced_result_keeps_its_record_until_it_is_beaten(monkeypatch):
    monkeypatch.setattr(records, "flops_of", lambda result: "1.0e+15")
    former = {**ROWS[1], "commit": "old", "device": "a faster CPU"}
    slower = row("slow", {"pretrain": 9.0, "gan": 3.0}, 31.5, 0.2)
    table = records_table([slower], [8], [former])
    assert "git switch --detach old; python -m reports.results run slow" in table
    assert "a faster CPU" in table
    beaten = row("better", {"pretrain": 8.0}, 32.0, 0.1)
    assert "old" not in records_table([slower, beaten], [8], [former])


def test_flops_are_those_of_the_layers():
    recipe = load(model="srcnn", preset="smoke").recipe
    generator = models.build("srcnn", recipe.generator.settings)
    pixels = 4 * (16 * 4) ** 2  # batch and side of the smoke preset
    forward = 2 * pixels * (81 * 3 * 64 + 1 * 64 * 32 + 25 * 32 * 3)
    first = 2 * pixels * 81 * 3 * 64  # no gradient of the picture
    # the first layers see a frame of pixels that convolutions remove
    assert 3 * forward - first < step_flops(recipe.pretrain, generator) < 2 * (3 * forward - first)
    assert training_flops(recipe, {"pretrain": 3}) == 3 * step_flops(recipe.pretrain, generator)


def test_a_row_of_other_settings_than_now_has_no_flops():
    (result,) = (one for one in read_rows() if one["row"] == "srcnn")
    assert flops_of({**result, "parameters": 1}) == "-"


def test_a_row_is_run_again_and_compared(monkeypatch, capsys):
    (known,) = (one for one in read_rows() if one["row"] == "srcnn")
    monkeypatch.setattr(records.results, "experiment", lambda name: f"{name}-run")
    monkeypatch.setattr(records.results, "collected_from", lambda name, revision: known)
    records.run("srcnn")
    out = capsys.readouterr().out
    assert "srcnn: the same to the last digit" in out
    assert "recorded: Set5 " in out
    with pytest.raises(ProtocolError, match="has no row 'srcn'"):
        records.run("srcn")


@pytest.mark.slow
def test_the_page_is_that_of_the_saved_results():
    page = PAGE.read_text(encoding="utf-8")
    for name, content in sections().items():
        assert fill_section(page, name, content) == page
