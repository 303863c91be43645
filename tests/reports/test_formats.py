"""docs/FORMATS.md is current and names every format."""

from typing import get_args

from reports.formats import PAGE, page
from srmodels.images.file_types import SUFFIXES, Kind
from srmodels.images.readers.dispatch import READERS


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m reports.formats write"


def test_every_format_has_a_reader_and_suffixes():
    assert set(READERS) == set(SUFFIXES) == set(get_args(Kind))
