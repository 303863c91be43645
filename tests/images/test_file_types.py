"""Which files are photographs."""

import pytest

from srmodels.images.file_types import detect_reader


@pytest.mark.parametrize(
    ("head", "suffix", "reader"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ".jpg", "heif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", ".heif", "bitmap"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", ".png", "raw"),
        (b"FUJIFILMCCD-RAW 0201", ".bin", "raw"),
        (b"II*\0\x08\0\0\0", ".NEF", "raw"),
        (b"II*\0\x08\0\0\0", ".tif", "bitmap"),
        (b"\xff\xd8\xff\xe0", ".dng", "bitmap"),
    ],
)
def test_content_decides_and_a_name_only_where_it_does_not(head, suffix, reader):
    assert detect_reader(head, suffix) == reader
