"""What may be compared, and what is said where it may not."""

import json

import pytest

from srmodels.comparison.compatibility import check_comparable
from srmodels.comparison.experiment import read_experiment
from srmodels.comparison.sources import METRICS, find_source
from srmodels.errors import ProtocolError
from tests.comparison.runs import PROTOCOL, write_run


@pytest.fixture
def notes(tmp_path):
    def compare(**changes):
        folders = [
            write_run(tmp_path / "one", [30.0, 31.0]),
            write_run(tmp_path / "two", **{"psnr": [32.0, 33.0], **changes}),
        ]
        paths = [str(folder / METRICS) for folder in folders]
        experiments = [read_experiment(find_source(path, root=tmp_path)) for path in paths]
        return check_comparable(*experiments)

    return compare


def test_equal_protocols_and_pictures_need_no_words(notes):
    assert notes() == []


def test_another_protocol_is_refused_by_the_field_that_differs(notes):
    with pytest.raises(ProtocolError, match=r"y differs \(got full range; .* 16\.\.235\)"):
        notes(protocol=PROTOCOL | {"y": ["full range"]})


def test_a_field_that_one_alone_states_is_told(notes):
    (note,) = notes(protocol=PROTOCOL | {"window": ["11"]})
    assert note.endswith("two/metrics/evaluate.json states window")


def test_how_another_row_was_made_does_not_matter(notes):
    assert notes(protocol=PROTOCOL | {"samples": ["5 of each image"]}) == []


def test_pictures_on_which_bicubic_scores_differently_are_refused(notes):
    with pytest.raises(ProtocolError, match=r"bicubic differs \(got a: psnr_y apart by 0\.5\)"):
        notes(bicubic=20.5)


def test_two_presets_are_named_as_what_may_be_the_cause(notes):
    with pytest.raises(
        ProtocolError, match=r"0\.5; their presets differ, paper and smoke\)\. Train"
    ):
        notes(bicubic=20.5, preset="paper")


def test_pictures_that_one_alone_has_are_listed(notes):
    first, second = notes(first=1)
    assert first.endswith("has a; left out")
    assert second.endswith("has c; left out")


def test_no_common_test_set_is_refused(notes, tmp_path):
    folder = write_run(tmp_path / "three", [30.0])
    (folder / "plots/per_image.csv").unlink()
    metrics = json.loads((folder / METRICS).read_text())
    (folder / METRICS).write_text(json.dumps({"set5": metrics["test"]}))
    paths = [str(run / METRICS) for run in (write_run(tmp_path / "one", [30.0]), folder)]
    experiments = [read_experiment(find_source(path, root=tmp_path)) for path in paths]
    with pytest.raises(ProtocolError, match=r"shares no test set .*got set5; .* has test"):
        check_comparable(*experiments)
