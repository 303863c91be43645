import pytest
import torch

from srmodels.objectives.cycle import query_pool


def numbered(*numbers):
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def numbers_of(images):
    return [int(n) for n in images[:, 0, 0, 0]]


def test_a_pool_that_is_not_full_shows_every_image_and_keeps_it():
    shared = {}
    assert numbers_of(query_pool(numbered(1, 2), shared, "hr", size=3)) == [1, 2]
    assert numbers_of(query_pool(numbered(3), shared, "hr", size=3)) == [3]
    assert numbers_of(shared["persistent/hr"]) == [1, 2, 3]


def test_a_full_pool_shows_old_images_half_the_time_and_loses_none():
    shared, shown = {}, []
    for step in range(400):
        shown += numbers_of(query_pool(numbered(step), shared, "hr", size=50))
    old = sum(number != step for step, number in enumerate(shown[50:], start=50))
    assert 130 < old < 220
    assert len(set(shown[50:])) == 350  # once it is full, an image is shown fresh or on leaving
    assert len(shared["persistent/hr"]) == 50


def test_a_kept_pool_and_random_state_go_on_as_if_nothing_had_happened():
    def steps(shared, numbers):
        return [numbers_of(query_pool(numbered(n), shared, "hr", size=4)) for n in numbers]

    torch.manual_seed(5)
    whole = steps({}, range(40))
    torch.manual_seed(5)
    shared = {}
    first = steps(shared, range(20))
    state, saved = torch.get_rng_state(), {name: each.clone() for name, each in shared.items()}
    steps(shared, range(7))  # what a killed process did after its last checkpoint
    torch.set_rng_state(state)
    assert first + steps(saved, range(20, 40)) == whole


def test_a_pool_of_none_shows_what_it_gets_and_keeps_nothing():
    shared, images = {}, numbered(1, 2)
    assert query_pool(images, shared, "hr", size=0) is images
    assert shared == {}


def test_two_pools_do_not_mix():
    shared = {}
    query_pool(numbered(1), shared, "hr", size=2)
    query_pool(numbered(2), shared, "lr", size=2)
    assert (numbers_of(shared["persistent/hr"]), numbers_of(shared["persistent/lr"])) == ([1], [2])


def test_an_engine_that_forgets_the_pool_is_told():
    with pytest.raises(AssertionError, match="persistent/hr is missing"):
        query_pool(numbered(1), {"step": torch.tensor(1)}, "hr", size=2)
