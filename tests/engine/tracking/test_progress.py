"""People see a bar on a terminal, and plain lines elsewhere."""

import logging
import sys

import pytest

from srmodels.engine.tracking.progress import Progress

MEANS = {"generator/pixel": 0.0123, "generator/gradient_norm": 3.0, "d_real": 0.5}
SPEED = {"images_per_second": 481.6, "data_wait_share": 0.034}


def train(total=2000):
    with Progress("pretrain", total, first=0, batch_size=16) as progress:
        for _ in range(100):
            progress.step()
        progress.log(MEANS, SPEED)


def test_without_a_terminal_a_point_is_one_plain_line(caplog, capsys) -> None:
    with caplog.at_level(logging.INFO):
        train()
    (line,) = caplog.messages
    assert line.startswith("pretrain 100/2000: generator/pixel 0.0123, d_real 0.5, 482 images/s, ")
    assert "data wait 3%, 0:00:" in line
    assert line.endswith(" left")
    assert capsys.readouterr().err == ""


def test_on_a_terminal_the_bar_shows_the_same_and_no_line_is_logged(
    caplog, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with caplog.at_level(logging.INFO):
        train(total=100)
    assert caplog.messages == []
    shown = capsys.readouterr().err
    assert "100/100" in shown
    assert "generator/pixel 0.0123, d_real 0.5, 482 images/s, data wait 3%" in shown


def test_skipped_steps_are_told(caplog) -> None:
    with caplog.at_level(logging.INFO), Progress("p", 9, first=0, batch_size=1) as progress:
        progress.log({"pixel": 1.0, "skipped_steps": 2.0}, SPEED)
    assert "2 steps skipped so far" in caplog.text


def test_what_is_paused_counts_neither_as_training_nor_as_waiting(monkeypatch) -> None:
    clock = iter([0.0, 4.0, 10.0, 12.0])
    monkeypatch.setattr("srmodels.engine.tracking.progress.time.perf_counter", lambda: next(clock))
    with Progress("p", 9, first=0, batch_size=16) as progress:
        progress.step()
        with progress.paused():
            pass
        speed = progress.speed(waited=1.5)
    assert speed == pytest.approx({"images_per_second": 16 / 6, "data_wait_share": 0.25})
