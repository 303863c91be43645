"""Splits are by photograph, by name and stable."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from srmodels.data.split import LEAST, MANY, SPLITS, assign_splits, cross_split_duplicates

names = st.sets(st.text("abcdefgh0123456789", min_size=1, max_size=6), min_size=1, max_size=40)
shares = st.floats(0.01, 0.45)


# photographs in folders and out of them, and groups of near duplicates among them
folders = st.sampled_from(["", "train/", "validation/", "test/", "trip/"])
endings = st.sampled_from([".jpg", ".CR2"])
stem = st.text("abc01", min_size=1, max_size=3)
photographs = st.builds(lambda *parts: "".join(parts), folders, stem, endings)
collections = st.lists(photographs, min_size=1, max_size=12, unique=True)
grouped = collections.flatmap(
    lambda names: st.tuples(
        st.just(names),
        st.lists(st.sets(st.sampled_from(names), min_size=2, max_size=4), max_size=4)
        if len(names) > 1
        else st.just([]),
    )
)


def joined(groups):
    """Groups that share a photograph as one, as the likeness finds them."""
    whole = []
    for group in groups:
        touching = [other for other in whole if other & group]
        whole = [other for other in whole if not other & group] + [group.union(*touching)]
    return whole


def named(stems):
    return [f"{stem}.jpg" for stem in sorted(stems)]


@given(stems=names, validation=shares, test=shares)
def test_every_split_has_a_photograph_where_there_are_three(stems, validation, test):
    splits = assign_splits(named(stems), validation=validation, test=test)
    assert splits.keys() == set(named(stems))
    wanted = ["train", "test", "validation"][: len(stems)]
    assert set(splits.values()) == set(wanted)


@given(stems=names, more=names, validation=shares, test=shares)
def test_a_photograph_keeps_its_split_when_others_come(stems, more, validation, test):
    before = assign_splits(named(stems), validation=validation, test=test)
    after = assign_splits(named(stems | more), validation=validation, test=test)
    # only those that had filled an otherwise small split, or fill one of the larger number
    moved = sum(before[name] != after[name] for name in before)
    assert moved <= (3 if len(after) < MANY else sum(LEAST.values()))


def test_a_folder_of_thirty_has_eight_test_and_four_validation_photographs():
    for count in (30, 43, 60):
        splits = assign_splits([f"{k}.png" for k in range(count)], validation=0.05, test=0.05)
        assert Counter(splits.values()) == {"test": 8, "validation": 4, "train": count - 12}


def test_a_larger_share_and_a_share_of_zero_stay_what_they_are():
    photos = [f"{k}.png" for k in range(100)]
    counts = Counter(assign_splits(photos, validation=0.1, test=0.2).values())
    assert counts["test"] > 12
    assert counts["validation"] > 5
    assert "test" not in assign_splits(photos, validation=0.05, test=0.0).values()


def test_shares_are_met_on_many_photographs():
    splits = assign_splits([f"{k:04d}.png" for k in range(2000)], validation=0.05, test=0.1)
    counts = Counter(splits.values())
    assert 70 <= counts["validation"] <= 130
    assert 160 <= counts["test"] <= 240


def test_a_share_of_zero_means_none():
    splits = assign_splits([f"{k}.png" for k in range(9)], validation=0.0, test=0.0)
    assert set(splits.values()) == {"train"}


def test_a_photograph_and_its_raw_never_part():
    splits = assign_splits(
        [f"IMG_{k}.{kind}" for k in range(200) for kind in ("jpg", "CR2")], validation=0.2, test=0.2
    )
    assert all(splits[f"IMG_{k}.jpg"] == splits[f"IMG_{k}.CR2"] for k in range(200))


def test_folders_named_after_the_splits_decide():
    photos = ["train/a.png", "validation/b.png", "test/c/d.png", "train/e.png"]
    splits = assign_splits(photos, validation=0.05, test=0.05)
    assert [splits[photo] for photo in photos] == ["train", "validation", "test", "train"]


def test_a_file_called_test_is_no_folder():
    assert assign_splits(["test.png"], validation=0.05, test=0.05) == {"test.png": "train"}


@given(case=grouped, validation=shares, test=shares)
def test_no_near_duplicate_is_on_two_sides_of_the_splits(case, validation, test):
    names, groups = case[0], joined(case[1])
    splits = assign_splits(names, validation=validation, test=test, groups=groups)
    left_out = cross_split_duplicates(splits, groups)
    assert splits.keys() == set(names)
    assert set(splits.values()) <= set(SPLITS)
    for group in groups:
        assert len({splits[name] for name in group - left_out.keys()}) == 1
    assert all(splits[kept] != splits[name] for name, kept in left_out.items())
    assert not left_out.keys() & set(left_out.values())


@given(case=grouped)
def test_a_test_photograph_is_never_left_out_nor_moved_by_its_folder(case):
    names, groups = case[0], joined(case[1])
    splits = assign_splits(names, validation=0.2, test=0.2, groups=groups)
    tested = {name for name in names if name.startswith("test/")}
    assert all(splits[name] == "test" for name in tested)
    assert not tested & cross_split_duplicates(splits, groups).keys()


@given(case=grouped, more=collections)
def test_photographs_of_no_group_move_nothing(case, more):
    names, groups = case[0], joined(case[1])
    new = [f"new {name.replace('/', ' ')}" for name in more]
    full = [f"{k:02d}.png" for k in range(90)]  # so that no split is small
    before = assign_splits([*full, *names], validation=0.2, test=0.2, groups=groups)
    after = assign_splits([*new, *full, *names], validation=0.2, test=0.2, groups=groups)
    assert {name: after[name] for name in before} == before


def test_a_group_goes_where_the_first_of_its_names_goes():
    names = [f"{k:03d}.png" for k in range(200)]
    alone = assign_splits(names, validation=0.2, test=0.2)
    pairs = [(f"{k:03d}.png", f"{199 - k:03d}.png") for k in range(100)]
    together = assign_splits(names, validation=0.2, test=0.2, groups=pairs)
    assert all(together[one] == together[other] == alone[one] for one, other in pairs)


def test_only_the_allowed_splits_are_given():
    names = [f"{k}.png" for k in range(300)]
    allowed = {
        name: ("train", "validation") if k % 3 else ("test",) for k, name in enumerate(names)
    }
    splits = assign_splits(names, validation=0.1, test=0.4, allowed=allowed)
    assert all(splits[name] in allowed[name] for name in names)
    assert 8 <= Counter(splits.values())["validation"] <= 40


def test_of_a_group_across_folders_what_is_like_a_test_photograph_is_left_out():
    photos = ["train/a.png", "validation/b.png", "test/z.png", "c.png"]
    splits = assign_splits(photos, validation=0.05, test=0.05, groups=[photos])
    assert splits["c.png"] == "test"
    assert cross_split_duplicates(splits, [photos]) == {
        "train/a.png": "c.png",
        "validation/b.png": "c.png",
    }


def test_a_photograph_that_is_left_out_takes_its_raw_with_it():
    photos = ["train/a.jpg", "train/a.CR2", "test/z.png"]
    splits = assign_splits(photos, validation=0.05, test=0.05)
    left_out = cross_split_duplicates(splits, [("train/a.jpg", "test/z.png")])
    assert left_out == {"train/a.jpg": "test/z.png", "train/a.CR2": "test/z.png"}
