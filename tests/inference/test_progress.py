"""Progress where it is piped, and results that are too large for many programs."""

import io
import logging
import sys

from srmodels.inference import progress


def test_a_pipe_gets_a_line_each_ten_seconds(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress.progress_bar(4) as bar:
        bar.set_postfix_str("a.jpg (1 of 4)")
        for _ in range(4):
            now[0] += 6
            bar.update(1)
            bar.refresh()
    lines = sys.stderr.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("upscale: 50 %, ")
    assert lines[0].endswith(" to go, a.jpg (1 of 4)")
    assert "\r" not in sys.stderr.getvalue()


def test_a_result_above_100_megapixels_names_the_two_ways_out(caplog):
    with caplog.at_level(logging.WARNING):
        progress.warn_of_size("a.heic", 10_000, 10_000)
        assert not caplog.text
        progress.warn_of_size("a.heic", 16128, 12096)
    (message,) = caplog.messages
    assert message.startswith("a.heic: the result has 195 megapixels (12096 x 16128)")
    assert "--scale 2" in message
    assert "--max-side" in message
