import pytest
import torch

from srmodels.objectives._image_pool import replayed


def numbered(*numbers):
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def numbers_of(images):
    return [int(n) for n in images[:, 0, 0, 0]]


def test_a_pool_that_is_not_full_shows_every_image_and_keeps_it():
    memo = {}
    assert numbers_of(replayed(numbered(1, 2), memo, "hr", size=3)) == [1, 2]
    assert numbers_of(replayed(numbered(3), memo, "hr", size=3)) == [3]
    assert numbers_of(memo["kept/hr"]) == [1, 2, 3]


def test_a_full_pool_shows_old_images_half_the_time_and_loses_none():
    memo, shown = {}, []
    for step in range(400):
        shown += numbers_of(replayed(numbered(step), memo, "hr", size=50))
    old = sum(number != step for step, number in enumerate(shown[50:], start=50))
    assert 130 < old < 220
    assert len(set(shown[50:])) == 350  # once it is full, an image is shown fresh or on leaving
    assert len(memo["kept/hr"]) == 50


def test_a_kept_pool_and_random_state_go_on_as_if_nothing_had_happened():
    def steps(memo, numbers):
        return [numbers_of(replayed(numbered(n), memo, "hr", size=4)) for n in numbers]

    torch.manual_seed(5)
    whole = steps({}, range(40))
    torch.manual_seed(5)
    memo = {}
    first = steps(memo, range(20))
    state, saved = torch.get_rng_state(), {name: each.clone() for name, each in memo.items()}
    steps(memo, range(7))  # what a killed process did after its last checkpoint
    torch.set_rng_state(state)
    assert first + steps(saved, range(20, 40)) == whole


def test_a_pool_of_none_shows_what_it_gets_and_keeps_nothing():
    memo, images = {}, numbered(1, 2)
    assert replayed(images, memo, "hr", size=0) is images
    assert memo == {}


def test_two_pools_do_not_mix():
    memo = {}
    replayed(numbered(1), memo, "hr", size=2)
    replayed(numbered(2), memo, "lr", size=2)
    assert (numbers_of(memo["kept/hr"]), numbers_of(memo["kept/lr"])) == ([1], [2])


def test_an_engine_that_forgets_the_pool_is_told():
    with pytest.raises(AssertionError, match="kept/hr is missing"):
        replayed(numbered(1), {"step": torch.tensor(1)}, "hr", size=2)
