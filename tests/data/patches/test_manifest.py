"""When what was skipped is too much to go on."""

import pytest

from srmodels.data.patches.manifest import ManifestRow, check_rows, skip_category
from srmodels.data.patches.settings import PatchSettings
from srmodels.errors import DataError


def row(photo, split, skipped=""):
    patches = 4 if split == "train" and not skipped else 0
    return ManifestRow(photo, split, "PNG", 64, 64, patches, 0, skipped, "", "")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_of_which_nothing_is_left_stops_the_stage_and_names_the_picture(split, tmp_path):
    rows = [row("a.png", "train"), row("b.png", split, "is empty")]
    with pytest.raises(DataError, match=f"no picture is left for {split} \\(got b.png is empty\\)"):
        check_rows(rows, tmp_path, PatchSettings(max_skipped=1.0))


@pytest.mark.parametrize(
    ("rows", "raise_it"),
    [
        ([("a.png", "train"), ("b.png", "train", "is empty")], True),
        ([("a.png", "train", "is empty"), ("b.png", "test")], False),
        ([("a.png", "train"), ("b.png", "test", "is empty")], False),
    ],
)
def test_a_higher_limit_is_advised_only_where_it_helps(rows, raise_it, tmp_path):
    with pytest.raises(DataError, match="1 of 2 photographs cannot be used") as caught:
        check_rows([row(*each) for each in rows], tmp_path, PatchSettings(max_skipped=0.1))
    assert ("raise patches.max_skipped above 0.1" in str(caught.value)) is raise_it


def test_a_split_that_was_never_filled_is_only_told(tmp_path, caplog):
    check_rows([row("a.png", "train")], tmp_path, PatchSettings())
    assert "no picture for test" in caplog.text


def test_a_transparent_photograph_is_counted_as_one():
    assert skip_category(
        "is partly transparent (got alpha down to 3 of 255). Flatten it first"
    ) == ("transparent")
