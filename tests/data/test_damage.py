"""Whatever a file holds: a picture, or one PhotoError with a reason."""

import io
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from srmodels.data.decode import decode
from srmodels.errors import PhotoError

from .pictures import chunk, deep, dng, encoded, pattern, png16, tiff16, write


def _heic():
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pattern())).save(buffer, tile_size=64)
    return buffer.getvalue()


FILES = {
    "png": lambda: encoded(pattern(), "PNG"),
    "16.png": lambda: png16(deep()),
    "jpg": lambda: encoded(pattern(), "JPEG"),
    "progressive.jpg": lambda: encoded(pattern(), "JPEG", progressive=True),
    "tif": lambda: encoded(pattern(), "TIFF"),
    "lzw.tif": lambda: encoded(pattern(), "TIFF", compression="tiff_lzw"),
    "16.tif": lambda: tiff16(deep(), photometric="rgb"),
    "webp": lambda: encoded(pattern(), "WEBP"),
    "bmp": lambda: encoded(pattern(), "BMP"),
    "jp2": lambda: encoded(pattern(), "JPEG2000"),
    "avif": lambda: encoded(pattern(), "AVIF"),
    "gif": lambda: encoded(pattern(), "GIF"),
    "heic": _heic,
    "dng": lambda: dng(np.full((64, 96, 3), 0.2)),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_off_anywhere_is_refused(kind, tmp_path):
    data = FILES[kind]()
    for tenth in range(10):
        path = write(tmp_path, f"photo.{kind}", data[: len(data) * tenth // 10])
        with pytest.raises(PhotoError, match=r"^photo\."):
            decode(path)


@pytest.mark.parametrize("kind", FILES)
def test_a_flipped_bit_gives_a_picture_or_a_reason(kind, tmp_path):
    data = FILES[kind]()
    rng = np.random.default_rng(0)
    for place, bit in zip(rng.integers(0, len(data), 40), rng.integers(0, 8, 40), strict=True):
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        try:
            pixels = decode(write(tmp_path, f"photo.{kind}", bytes(changed)), max_pixels=10**6)
        except PhotoError:
            continue
        assert pixels.ndim == 3
        assert pixels.dtype == np.uint8


def test_a_flipped_bit_of_a_png_is_always_noticed(tmp_path):
    data = FILES["png"]()
    for place in np.linspace(0, len(data) - 1, 30).astype(int):
        changed = bytearray(data)
        changed[place] ^= 4
        with pytest.raises(PhotoError):
            decode(write(tmp_path, "a.png", bytes(changed)))


def test_a_jpeg_whose_lower_half_is_missing_is_no_grey_photograph(tmp_path):
    data = encoded(pattern(), "JPEG")
    path = write(tmp_path, "a.jpg", data[: len(data) // 2] + b"\xff\xd9")
    with pytest.raises(PhotoError, match="lower part is missing"):
        decode(path)


def test_a_jpeg_with_a_grey_corner_is_a_photograph(tmp_path):
    picture = pattern()
    picture[80:, 112:] = 128
    path = write(tmp_path, "a.jpg", encoded(picture, "JPEG", quality=95, subsampling=0))
    assert (decode(path)[88:, 120:] == 128).all()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.png", b"", "is empty"),
        ("a.nef", b"", "is empty"),
        ("a.jpg", bytes(5000), "nothing but zeros"),
        ("a.cr2", bytes(5000), "nothing but zeros"),
        ("a.png", b"Dear diary,\ntoday I was named .png\n", "is a text file"),
        ("a.jpg", b"\x7fELF\x02\x01\x01\x00 and so on", "no kind of picture"),
        ("a.nef", b"Dear diary", "damaged or of an unknown kind"),
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "damaged"),
        ("a.tif", b"II*\0\x08\0\0\0\0\0\0\0\0\0", "damaged"),
    ],
)
def test_what_is_no_picture_is_named_for_what_it_is(name, data, reason, tmp_path):
    with pytest.raises(PhotoError, match=reason):
        decode(write(tmp_path, name, data))


def test_a_missing_file_has_its_reason_too(tmp_path):
    with pytest.raises(PhotoError, match=r"none\.png: cannot be opened \(No such file"):
        decode(tmp_path / "none.png")


def test_a_folder_named_like_a_photograph_has_its_reason_too(tmp_path):
    with pytest.raises(PhotoError, match="cannot be opened"):
        decode(tmp_path)


def test_a_huge_png_is_refused_on_its_header_alone(tmp_path):
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x")
    with pytest.raises(PhotoError, match=r"\(found 50000x50000; patches.max_pixels"):
        decode(write(tmp_path, "a.png", data))


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp", "heic", "dng", "avif"])
def test_the_limit_on_pixels_holds_for_every_reader(kind, tmp_path):
    with pytest.raises(PhotoError, match="too many pixels"):
        decode(write(tmp_path, f"a.{kind}", FILES[kind]()), max_pixels=6000)


def test_more_pixels_than_pillow_itself_allows_are_read_where_we_allow_them(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert decode(write(tmp_path, "a.png", FILES["png"]())).shape == (96, 128, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_floating_point_pictures_are_refused_with_a_reason(tmp_path):
    data = tiff16(np.zeros((32, 32), np.float32))
    with pytest.raises(PhotoError, match="floating-point"):
        decode(write(tmp_path, "a.tif", data))


def test_the_reason_is_one_line_and_names_the_file_without_its_folder(tmp_path):
    with pytest.raises(PhotoError) as caught:
        decode(write(tmp_path, "a.jpg", FILES["jpg"]()[:400]))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
