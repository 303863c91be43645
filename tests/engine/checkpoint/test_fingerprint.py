from pathlib import Path

from srmodels.engine.checkpoint.fingerprint import differences, fingerprint_of, flatten


def test_the_fingerprint_changes_with_any_fact_and_not_with_their_order() -> None:
    facts = {"rate": 1e-4, "code": {"a": "1"}}
    assert fingerprint_of(facts) == fingerprint_of(dict(reversed(facts.items())))
    assert fingerprint_of(facts) != fingerprint_of(facts | {"rate": 2e-4})


def test_facts_within_facts_have_full_keys() -> None:
    assert flatten({"a": {"b": {"c": 1}, "d": 2}, "e": [3]}) == {"a.b.c": 1, "a.d": 2, "e": [3]}


def test_differences_name_settings_with_their_values_and_digests_without() -> None:
    before = {"settings": {"training": {"steps": 20}}, "data": "aa", "weights": []}
    now = {"settings": {"training": {"steps": 21}}, "data": "bb", "weights": []}
    assert differences(before, now) == "data; settings training.steps 21 (was 20)"


def test_facts_read_back_from_json_are_the_same_facts() -> None:
    read_back = {"settings": {"betas": [0.9, 0.99], "path": "a/b"}}
    assert not differences(read_back, {"settings": {"betas": (0.9, 0.99), "path": Path("a/b")}})


def test_of_many_differences_some_are_told_and_the_rest_is_counted() -> None:
    before, now = ({"code": {f"m{i}": kind for i in range(7)}} for kind in "ab")
    assert differences(before, now) == "code m0; code m1; code m2; code m3; code m4 and 2 more"
