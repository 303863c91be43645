"""Whatever a file holds: a picture, or one PhotoError with a reason."""

import io
import struct

import numpy as np
import openjpeg
import pillow_heif
import pytest
from PIL import Image

from srmodels.errors import PhotoError
from srmodels.images.readers.decode import decode, read
from tests.images.pictures import chunk, dng, encoded, noise_16bit, pattern, png, tiff16, write


def _heic():
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pattern())).save(buffer, tile_size=64)
    return buffer.getvalue()


FILES = {
    "png": lambda: encoded(pattern(), "PNG"),
    "16.png": lambda: png(noise_16bit(), 16),
    "jpg": lambda: encoded(pattern(), "JPEG"),
    "progressive.jpg": lambda: encoded(pattern(), "JPEG", progressive=True),
    "restarts.jpg": lambda: encoded(pattern(), "JPEG", restart_marker_blocks=4),
    "tif": lambda: encoded(pattern(), "TIFF"),
    "lzw.tif": lambda: encoded(pattern(), "TIFF", compression="tiff_lzw"),
    "16.tif": lambda: tiff16(noise_16bit(), photometric="rgb"),
    "webp": lambda: encoded(pattern(), "WEBP"),
    "lossless.webp": lambda: encoded(pattern(), "WEBP", lossless=True),
    "bmp": lambda: encoded(pattern(), "BMP"),
    "jp2": lambda: encoded(pattern(), "JPEG2000"),
    "16.jp2": lambda: bytes(
        openjpeg.encode(noise_16bit(), photometric_interpretation=1, codec_format=1)
    ),
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


def flipped(data, places):
    """The file once for each of so many places, with the byte there changed."""
    rng = np.random.default_rng(0)
    for place in np.linspace(0, len(data) - 1, places).astype(int):
        changed = bytearray(data)
        changed[place] ^= int(rng.integers(1, 256))
        yield bytes(changed)


# Only PNG carries checksums of its pixels: elsewhere a changed byte can be another picture's.
@pytest.mark.parametrize("kind", FILES)
def test_a_changed_byte_gives_a_picture_of_the_right_size_or_a_reason(kind, tmp_path):
    data = FILES[kind]()
    shape = decode(write(tmp_path, f"photo.{kind}", data)).shape
    for changed in flipped(data, 100):
        try:
            pixels = decode(write(tmp_path, f"photo.{kind}", changed), max_pixels=10**6)
        except PhotoError:
            continue
        assert pixels.shape == shape


@pytest.mark.parametrize("kind", ["png", "16.png"])
def test_a_changed_byte_of_a_png_is_always_noticed(kind, tmp_path):
    for changed in flipped(FILES[kind](), 100):
        with pytest.raises(PhotoError):
            decode(write(tmp_path, "a.png", changed))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_png_with_fewer_rows_than_it_says_is_refused(bits, interlaced, tmp_path):
    data = png(noise_16bit() >> (16 - bits), bits, interlaced=interlaced)
    taller = struct.pack(">IIBBBBB", 56, 48, bits, 2, 0, 0, interlaced)
    path = write(tmp_path, "a.png", data[:8] + chunk(b"IHDR", taller) + data[33:])
    with pytest.raises(PhotoError, match="last rows are missing"):
        decode(path)


@pytest.mark.parametrize("kind", ["jpg", "progressive.jpg", "restarts.jpg"])
def test_a_jpeg_with_a_missing_part_is_no_grey_photograph(kind, tmp_path):
    data = FILES[kind]()
    for tenth in range(3, 10):
        for end in (b"", b"\xff\xd9", bytes(5000), bytes(5000) + b"\xff\xd9"):
            path = write(tmp_path, "a.jpg", data[: len(data) * tenth // 10] + end)
            with pytest.raises(PhotoError):
                decode(path)


def test_a_progressive_jpeg_cut_off_between_two_scans_is_refused(tmp_path):
    data = FILES["progressive.jpg"]()
    with pytest.raises(PhotoError, match="its last part is missing"):
        decode(write(tmp_path, "a.jpg", data[: data.rindex(b"\xff\xda")]))


@pytest.mark.parametrize("kind", ["jpg", "progressive.jpg"])
@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda data: data[:-2], "no end marker"),
        (lambda data: data[:-2] + bytes(100) + data[-2:], "stray bytes"),
        (lambda data: data[:20] + b"\0\xe1stray" + data[20:], "stray bytes"),
        (lambda data: data[:20] + b"\0\xe1stray" + data[20:-2], "no end marker"),
        (lambda data: data[:-2] + b"\xff\xff" + data[-2:], ""),
        (lambda data: data + b"SEFH, a maker's trailer" + data, ""),
    ],
)
def test_a_jpeg_with_a_harmless_irregularity_is_read_whole(kind, change, note, tmp_path):
    data = FILES[kind]()
    found = read(write(tmp_path, "a.jpg", change(data)))
    assert (found.pixels == decode(write(tmp_path, "b.jpg", data))).all()
    assert note in " ".join(found.notes)
    assert bool(note) == bool(found.notes)


def test_scan_parameters_do_not_count_in_a_sequential_jpeg(tmp_path):
    data = FILES["jpg"]()
    at = data.index(b"\xff\xda") + 11
    assert data[at : at + 3] == b"\0\x3f\0"
    found = read(write(tmp_path, "a.jpg", data[:at] + bytes(3) + data[at + 3 :]))
    assert (found.pixels == decode(write(tmp_path, "b.jpg", data))).all()
    assert "do not count in a sequential JPEG" in found.notes[0]


def test_adobes_mark_of_four_channels_does_not_stop_three(tmp_path):
    data = FILES["jpg"]()
    mark = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x02"
    start = data.index(b"\xff\xdb")  # in the place of JFIF's mark
    found = read(write(tmp_path, "a.jpg", data[:2] + mark + data[start:]))
    assert (found.pixels == decode(write(tmp_path, "b.jpg", data))).all()
    assert "taken as YCbCr" in found.notes[0]


def test_a_jpeg_that_cannot_be_checked_is_noted(tmp_path):
    data = bytearray(encoded(pattern(), "JPEG", subsampling=0))
    data[data.index(b"\xff\xc0") + 11] = 0x31  # three times as many columns of luma: unheard of
    assert "not checked for damage" in read(write(tmp_path, "a.jpg", bytes(data))).notes[0]


def test_a_small_jpeg_that_would_take_minutes_is_refused(tmp_path):
    data = FILES["progressive.jpg"]()
    last = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(PhotoError, match="too many scans"):
        decode(write(tmp_path, "a.jpg", data[:-2] + 600 * last + data[-2:]))


def test_a_heic_whose_second_half_never_arrived_is_refused(tmp_path):
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    pillow_heif.from_pillow(Image.fromarray(noise)).save(buffer, quality=95)
    data = buffer.getvalue()
    assert len(data) > 3 * 16384
    with pytest.raises(PhotoError, match="nothing but zeros"):
        decode(write(tmp_path, "a.heic", data[:-20000] + bytes(20000)))


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
        ("a.nef", b"Dear diary", "is a text file"),
        ("a.raw", bytes(range(256)) * 1200, "no kind of picture"),
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "damaged"),
        ("a.tif", b"II*\0\x08\0\0\0\0\0\0\0\0\0", "damaged"),
    ],
)
def test_what_is_no_picture_is_named_for_what_it_is(name, data, reason, tmp_path):
    with pytest.raises(PhotoError, match=reason):
        decode(write(tmp_path, name, data))


@pytest.mark.parametrize("kind", ["EPS", "TGA", "ICO", "PCX"])
def test_formats_that_run_programs_or_have_no_signature_are_not_opened(kind, tmp_path):
    with pytest.raises(PhotoError, match=r"is (no kind of picture|a text file)"):
        decode(write(tmp_path, "a.png", encoded(pattern(), kind)))


def test_a_missing_file_has_its_reason_too(tmp_path):
    with pytest.raises(PhotoError, match=r"none\.png: cannot be opened \(No such file"):
        decode(tmp_path / "none.png")


def test_a_folder_named_like_a_photograph_has_its_reason_too(tmp_path):
    with pytest.raises(PhotoError, match="cannot be opened"):
        decode(tmp_path)


def test_a_huge_png_is_refused_on_its_header_alone(tmp_path):
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x")
    with pytest.raises(PhotoError, match=r"\(got 50000x50000; max_pixels"):
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
