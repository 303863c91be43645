"""How many photographs are enough to compare trainings."""

from srmodels.data.photos.enough import images_needed, small_split_warnings
from srmodels.data.photos.table import Photo


def test_a_hundred_times_the_images_show_a_tenth_of_the_difference():
    assert images_needed(0.3) == 35
    assert images_needed(3.0, difference=1.0) == 35
    assert images_needed(0.0) == 3


def photographs(train, validation, test):
    splits = ["train"] * train + ["validation"] * validation + ["test"] * test
    return [Photo(f"{k}.png", split, f"/{k}.png", 3, "0") for k, split in enumerate(splits)]


def test_few_test_photographs_are_warned_of_with_the_number_that_would_do():
    test, validation = small_split_warnings(photographs(2, 1, 1))
    assert test.startswith("data.test: too few test photographs to compare trainings (got 1). Ab")
    assert "About 9 show a difference of 0.1 dB" in test
    assert validation.endswith("(got 1). Set data.validation=0.1, or add photographs.")


def test_eight_test_and_four_validation_photographs_are_not_warned_of():
    assert small_split_warnings(photographs(18, 4, 8)) == []
