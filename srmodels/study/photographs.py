"""Whether photographs are enough for a study: the test split needs a few for an interval."""

from collections.abc import Sequence

from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.split import MANY, assign_splits
from srmodels.errors import DataError

LEAST_TEST = 3  # photographs; fewer have no interval
_LARGER_SHARE = 0.2  # of the photographs, for the test


def _test_count(names: Sequence[str], validation: float, test: float) -> int:
    splits = assign_splits(names, validation=validation, test=test)
    return sum(split == "test" for split in splits.values())


def too_few(names: Sequence[str], count: int, settings: PhotosSettings) -> DataError:
    """The error for `count` test photographs; advises a larger share only where that helps."""
    enough = _test_count(names, settings.validation, _LARGER_SHARE) >= LEAST_TEST
    share = f"set data.test={_LARGER_SHARE}" if enough and settings.test < _LARGER_SHARE else ""
    return DataError(
        f"study: too few test photographs (got {count} of {len(names)} photographs; near "
        f"duplicates count once). Give {MANY} photographs or more, or "
        f"{share or f'move {LEAST_TEST} or more into its sub-folder test'}."
    )


def check_names(names: Sequence[str], settings: PhotosSettings) -> None:
    """Raises DataError if a folder's photographs, by relative path, have too few for the test.

    Near duplicates are not yet known, so that a study can still end after `dvc repro patches`.
    """
    count = _test_count(names, settings.validation, settings.test)
    if settings.test and count < LEAST_TEST:  # a share of 0 takes the bundled test photographs
        raise too_few(names, count, settings)
