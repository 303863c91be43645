"""Which files are photographs."""

import io

import pytest

from srmodels.images.file_types import detect_kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftypmif2\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0heicmif1", "HEIF"),
        (b"\0\0\0\x14ftyptmap\0\0\0\0tmap", "HEIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0iso2mp41", None),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "RAW"),
        (b"FUJIFILMCCD-RAW 0201", "RAW"),
        (b"II*\0\x10\0\0\0CR\2\0", "RAW"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"P3 1 1 255 0 0 0", "PPM"),
        (bytes(range(256)) * 1200, None),
    ],
)
def test_content_decides(head, kind):
    assert detect_kind(io.BytesIO(head)) == kind
