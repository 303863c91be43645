"""Commands that read the pipeline's files, outside the repository's root."""

import pytest

from tests.cli.test_main import typed  # noqa: F401 - a fixture
from tests.comparison.runs import write_run

# ruff: noqa: F811 - a fixture's name is that of the argument


@pytest.mark.parametrize(
    "words",
    [
        "compare HEAD smoke1",
        "list",
        "report",
        "report a b",
        "runs a",
        "register a b",
        "patches show",
        "use auto",
    ],
)
def test_another_folder_than_the_root_is_told(typed, monkeypatch, tmp_path, words):
    monkeypatch.chdir(tmp_path)
    code, _, err = typed(*words.split())
    assert code == 1
    assert err == "error: params.yaml: not found. Run in the repository's root.\n"


def test_files_of_scores_are_compared_in_any_folder(typed, monkeypatch, tmp_path):
    for name in ("a", "b"):
        write_run(tmp_path / name, [30.0, 31.0])
    monkeypatch.chdir(tmp_path)
    code, out, err = typed("compare", "a/metrics/evaluate.json", "b/plots/per_image.csv")
    assert code == 0, err
    assert "a/metrics/evaluate.json" in out
