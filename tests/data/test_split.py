"""Splits are by photograph, by name and stable."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from srmodels.data.split import assign

names = st.sets(st.text("abcdefgh0123456789", min_size=1, max_size=6), min_size=1, max_size=40)
shares = st.floats(0.01, 0.45)


def named(stems):
    return [f"{stem}.jpg" for stem in sorted(stems)]


@given(stems=names, validation=shares, test=shares)
def test_every_split_has_a_photograph_where_there_are_three(stems, validation, test):
    splits = assign(named(stems), validation=validation, test=test)
    assert splits.keys() == set(named(stems))
    wanted = ["train", "test", "validation"][: len(stems)]
    assert set(splits.values()) == set(wanted)


@given(stems=names, more=names, validation=shares, test=shares)
def test_a_photograph_keeps_its_split_when_others_come(stems, more, validation, test):
    before = assign(named(stems), validation=validation, test=test)
    after = assign(named(stems | more), validation=validation, test=test)
    # only those that had filled an otherwise empty split may move
    moved = sum(before[name] != after[name] for name in before)
    assert moved <= 3


def test_shares_are_met_on_many_photographs():
    splits = assign([f"{k:04d}.png" for k in range(2000)], validation=0.05, test=0.1)
    counts = Counter(splits.values())
    assert 70 <= counts["validation"] <= 130
    assert 160 <= counts["test"] <= 240


def test_a_share_of_zero_means_none():
    splits = assign([f"{k}.png" for k in range(9)], validation=0.0, test=0.0)
    assert set(splits.values()) == {"train"}


def test_a_photograph_and_its_raw_never_part():
    splits = assign(
        [f"IMG_{k}.{kind}" for k in range(200) for kind in ("jpg", "CR2")], validation=0.2, test=0.2
    )
    assert all(splits[f"IMG_{k}.jpg"] == splits[f"IMG_{k}.CR2"] for k in range(200))


def test_folders_named_after_the_splits_decide():
    photos = ["train/a.png", "validation/b.png", "test/c/d.png", "train/e.png"]
    splits = assign(photos, validation=0.05, test=0.05)
    assert [splits[photo] for photo in photos] == ["train", "validation", "test", "train"]


def test_a_file_called_test_is_no_folder():
    assert assign(["test.png"], validation=0.05, test=0.05) == {"test.png": "train"}
