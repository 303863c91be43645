"""Corners of formats: what looks like another kind, side data that is broken, and too much data."""

import io
import struct
import time
import zlib

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from srmodels.errors import PhotoError
from srmodels.images.readers.decode import decode, read
from srmodels.images.readers.source_image import read_image
from srmodels.images.readers.tiff.directories import Tag
from tests.images.pictures import chunk, dng, encoded, noise_16bit, pattern, png, tiff16, write


def pages(*shapes_and_types):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as tiff:
        for shape, kind in shapes_and_types:
            tiff.write(
                np.full(shape, 90 if kind else 200, np.uint8),
                subfiletype=kind,
                metadata=None,
                photometric="rgb",
            )
    return file.getvalue()


def test_the_first_page_that_is_no_thumbnail_is_read(tmp_path):
    data = pages(((16, 16, 3), 1), ((64, 64, 3), 0), ((96, 96, 3), 0))
    found = read(write(tmp_path, "a.tif", data))
    assert found.pixels.shape == (64, 64, 3)
    assert found.notes == ("its first picture is a thumbnail; the full-size one is read",)


def test_a_larger_sub_directory_is_the_picture(tmp_path):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as tiff:
        tiff.write(np.zeros((16, 16, 3), np.uint8), subifds=1, metadata=None, photometric="rgb")
        tiff.write(np.full((64, 64, 3), 7, np.uint8), metadata=None, photometric="rgb")
    assert (decode(write(tmp_path, "a.tif", file.getvalue())) == 7).all()


def test_sensor_values_in_a_sub_directory_are_developed(tmp_path):
    raw = dng(np.full((64, 64, 3), 0.2))
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as tiff:
        tiff.write(np.zeros((16, 16, 3), np.uint8), subifds=1, metadata=None, photometric="rgb")
        tiff.write(np.zeros((64, 64), np.uint16), metadata=None, photometric=32803)
    assert read(write(tmp_path, "a.dng", raw)).kind == "RAW"
    with pytest.raises(PhotoError):  # taken for RAW, which LibRaw cannot develop
        read(write(tmp_path, "a.tif", file.getvalue()))


@pytest.mark.parametrize("name", ["a.dng", "a.nef", "a.cr2", "a.tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_ordinary_tiff_is_no_raw_whatever_its_name(name, channels, tmp_path):
    values = noise_16bit(channels=channels).squeeze()
    kind = "rgb" if channels == 3 else "minisblack"
    found = read_image(write(tmp_path, name, tiff16(values, photometric=kind)))
    assert found.kind == "TIFF"
    np.testing.assert_array_equal(found.colour.squeeze(), values)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((32, 32), np.float16),
        np.zeros((32, 32), np.int16),
        np.zeros((32, 32), np.uint32),
    ],
    ids=str,
)
def test_values_of_unknown_range_are_refused(values, tmp_path):
    with pytest.raises(PhotoError, match="Export 8 or 16 bits"):
        decode(write(tmp_path, "a.tif", tiff16(values)))


def test_a_page_after_many_is_not_waited_for(tmp_path):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as tiff:
        for _ in range(1500):
            tiff.write(np.zeros((4, 4), np.uint8), metadata=None, contiguous=False)
    path = write(tmp_path, "a.tif", file.getvalue())
    start = time.perf_counter()
    assert read(path).notes == ("the first of over 1000 pictures",)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("kind", ["grey", "rgb"])
def test_a_bomb_is_refused_at_once(kind, tmp_path):
    squeeze = zlib.compressobj(9)
    body = b"".join(squeeze.compress(bytes(2**20)) for _ in range(300)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", 64, 64, *((4, 0) if kind == "grey" else (8, 2)), 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body)
    path = write(tmp_path, "a.png", data + chunk(b"IEND", b""))
    with pytest.raises(PhotoError, match="far more data"):
        decode(path)


@pytest.mark.parametrize("kind", [b"iCCP", b"iTXt", b"zTXt"])
def test_side_data_that_inflates_without_end_is_left_out(kind, tmp_path):
    body = zlib.compress(bytes(2**25))
    text = b"XML:com.adobe.xmp\0\1\0\0\0" if kind == b"iTXt" else b"x\0\0"
    path = write(tmp_path, "a.png", png(pattern(), 8, before=chunk(kind, text + body)))
    image = read_image(path)
    np.testing.assert_array_equal(image.colour, pattern())
    assert kind == b"zTXt" or "cannot be read; left out" in image.notes[0]


def test_a_long_text_does_not_stop_a_png(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 2**21)
    path = write(tmp_path, "a.png", encoded(pattern(), "PNG", pnginfo=info))
    np.testing.assert_array_equal(decode(path), pattern())


def test_an_orientation_in_xmp_alone_does_not_turn(tmp_path):
    packet = b'<x:xmpmeta><a tiff:Orientation="6"/></x:xmpmeta>'
    text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    np.testing.assert_array_equal(
        decode(write(tmp_path, "a.png", png(pattern(), 8, before=text))), pattern()
    )
    for kind in ("AVIF", "JPEG", "WEBP"):
        path = write(tmp_path, "a", encoded(pattern(), kind, xmp=packet))
        assert decode(path).shape == pattern().shape


@pytest.mark.parametrize("value", [b"\x06", "6", (6,), 0, 9, b"\x06\x00", 6.5])
def test_an_odd_orientation_never_stops_a_picture(value, tmp_path):
    exif = Image.Exif()
    exif[274] = value
    try:
        data = encoded(pattern(), "JPEG", exif=exif.tobytes())
    except Exception:  # noqa: BLE001 - Pillow cannot write it
        pytest.skip("Pillow cannot write it")
    path = write(tmp_path, "a.jpg", data)
    decoded, image = read(path), read_image(path)
    np.testing.assert_array_equal(decoded.pixels, image.colour)
    assert (
        decoded.pixels.shape == (128, 96, 3)
        or any("left as stored" in n for n in image.notes)
        or value == 0
    )


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
@pytest.mark.parametrize("brand", [b"mif1", b"mif2", b"isom", b"miaf"])
def test_a_brand_among_the_compatible_ones_suffices(brand, kind, tmp_path):
    pillow_heif.register_heif_opener()
    data = encoded(pattern(), kind, quality=90)
    assert data[4:8] == b"ftyp"
    found = read(write(tmp_path, "a.heic", data[:8] + brand + data[12:]))
    assert found.kind == kind
    np.testing.assert_array_equal(found.pixels, decode(write(tmp_path, "b", data)))


def bmp(width, height, bits, pixels, palette=b"", compression=0, masks=b""):
    size = 40 + len(masks)
    start = 14 + size + len(palette)
    header = struct.pack("<LllHHLLllLL", size, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<LHHL", 0, 0, 0, start) + header + masks + palette + pixels


GREYS = bytes(value for k in range(16) for value in (17 * k, 17 * k, 17 * k, 0))


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (b"\x04\x12\0\0", "last rows are missing"),
        (b"\x09\x12\0\0\0\1", "beyond its edge"),
        (b"\0\x05\x12\x34", "beyond its edge"),
        (b"\x04\x12\0\0\x04\x12\0\0\x04\x12\0\1", "beyond its edge"),
    ],
)
def test_broken_run_lengths_are_refused(pixels, reason, tmp_path):
    with pytest.raises(PhotoError, match=reason):
        decode(write(tmp_path, "a.bmp", bmp(4, 2, 4, pixels, GREYS, 2)))


def test_run_lengths(tmp_path):
    pixels = b"\x03\x12\x01\x50\0\0" + b"\0\3\x12\x30\0\2\1\0\0\1"
    found = decode(write(tmp_path, "a.bmp", bmp(4, 2, 4, pixels, GREYS, 2)))[..., 0] // 17
    assert found.tolist() == [[1, 2, 3, 0], [1, 2, 1, 5]]


def test_rows_of_run_lengths_may_go_on_to_a_boundary(tmp_path):
    pixels = b"\x08\x10\0\0" + b"\0\x08\x23\x23\x23\x23" + b"\0\0\0\1"
    found = read(write(tmp_path, "a.bmp", bmp(5, 2, 4, pixels, GREYS, 2)))
    assert (found.pixels[..., 0] // 17).tolist() == [[2, 3, 2, 3, 2], [1, 0, 1, 0, 1]]
    assert found.notes == ("its rows go on beyond its edge, to a boundary of 32 bits",)


def test_bit_masks_of_bmp_have_full_range_and_alpha(tmp_path):
    masks = struct.pack("<4L", 0x7C00, 0x3E0, 0x1F, 0x8000)
    pixels = struct.pack("<2H", 0xFFFF, 0x7C00)
    path = write(tmp_path, "a.bmp", bmp(2, 1, 16, pixels, compression=3, masks=masks))
    image = read_image(path)
    assert image.colour.tolist() == [[[255, 255, 255], [255, 0, 0]]]
    assert image.alpha.tolist() == [[255, 0]]


def test_a_gif_that_does_not_cover_its_canvas_is_partly_transparent(tmp_path):
    image = Image.fromarray(pattern()[..., 0])
    data = bytearray(encoded(image, "GIF"))
    data[6:10] = struct.pack("<HH", 200, 120)  # the canvas
    path = write(tmp_path, "a.gif", bytes(data))
    with pytest.raises(PhotoError, match="partly transparent"):
        decode(path)
    assert read_image(path).alpha.mean() == pytest.approx(255 * 128 * 96 / (200 * 120))


def test_adobe_rgb_by_exif_alone_is_converted(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 65535
    exif[271] = "Maker"
    path = write(tmp_path, "a.jpg", encoded(pattern(), "JPEG", exif=exif.tobytes()))
    found = read(path)
    assert found.notes == ("converted from Adobe RGB to sRGB",)
    np.testing.assert_array_equal(found.pixels, read_image(path).colour)
    written = Image.Exif()
    written.load(read_image(path).metadata.exif)
    assert written.get_ifd(0x8769)[0xA001] == 1


def test_a_resolution_in_exif_alone_is_kept_and_none_stays_none(tmp_path):
    exif = Image.Exif()
    exif[282], exif[283], exif[296] = 300.0, 300.0, 2
    path = write(tmp_path, "a.webp", encoded(pattern(), "WEBP", exif=exif.tobytes()))
    assert read_image(path).metadata.dpi == (300, 300)
    for kind in ("TIFF", "BMP", "JPEG", "PNG"):
        image = read_image(write(tmp_path, "b", encoded(pattern(), kind)))
        assert image.metadata.dpi is None or kind == "BMP"  # Pillow writes 96 DPI into it


def test_a_damaged_checksum_of_side_data_leaves_the_picture(tmp_path):
    broken = bytearray(chunk(b"gAMA", struct.pack(">L", 100_000)))
    broken[-1] ^= 1
    data = png(pattern(), 8, before=bytes(broken))
    found = read(write(tmp_path, "a.png", data))
    np.testing.assert_array_equal(found.pixels, pattern())
    assert found.notes == ("its gAMA is damaged (its checksum); left out",)
    clear = bytearray(chunk(b"tRNS", bytes(6)))
    clear[-1] ^= 1
    with pytest.raises(PhotoError, match="checksum of its chunk tRNS"):
        read(write(tmp_path, "b.png", png(pattern(), 8, before=bytes(clear))))


def test_parts_of_a_profile_that_do_not_fit_leave_the_picture(tmp_path):
    plain = encoded(pattern(), "JPEG", quality=95)
    part = b"ICC_PROFILE\0\1\1" + bytes(200)
    segment = b"\xff\xe2" + struct.pack(">H", len(part) + 2) + part
    data = plain[:20] + segment + segment + plain[20:]
    found = read(write(tmp_path, "a.jpg", data))
    np.testing.assert_array_equal(found.pixels, decode(write(tmp_path, "b.jpg", plain)))
    assert found.notes == ("the parts of its colour profile do not fit together; taken as sRGB",)
    assert read_image(tmp_path / "a.jpg").metadata.icc is None


def test_a_resolution_of_zero_leaves_a_jpeg_2000(tmp_path):
    data = encoded(pattern(), "JPEG2000")
    at = data.index(b"jp2h") - 4
    end = at + int.from_bytes(data[at : at + 4], "big")
    box = struct.pack(">L4sL4sHHHHBB", 26, b"res ", 18, b"resc", 1, 0, 1, 0, 0, 0)
    header = struct.pack(">L", end - at + len(box)) + data[at + 4 : end] + box
    found = read_image(write(tmp_path, "a.jp2", data[:at] + header + data[end:]))
    np.testing.assert_array_equal(found.colour, pattern())
    assert found.metadata.dpi is None


def test_a_next_page_where_no_file_reaches_is_none(tmp_path):
    data = bytearray(tiff16(noise_16bit(), bigtiff=True, metadata=None, byteorder="<"))
    (start,) = struct.unpack_from("<Q", data, 8)
    (count,) = struct.unpack_from("<Q", data, start)
    struct.pack_into("<Q", data, start + 8 + 20 * count, 2**64 - 8)
    np.testing.assert_array_equal(read_image(write(tmp_path, "a.tif", data)).colour, noise_16bit())


@pytest.mark.parametrize("codec", [b"j2k1", b"vvc1", b"unci"])
def test_another_codec_in_a_heif_is_named(codec, tmp_path):
    pillow_heif.register_heif_opener()
    data = encoded(pattern(), "HEIF").replace(b"hvc1", codec)
    with pytest.raises(PhotoError, match=f"a codec that is not read .got {codec.decode()}"):
        decode(write(tmp_path, "a.heif", data))


@pytest.mark.parametrize("bits", [8, 10])
def test_grey_of_video_range_in_a_heic_has_all_of_its_range(bits, tmp_path):
    values = np.arange(256, dtype=np.uint16).reshape(16, 16).repeat(4, 0).repeat(4, 1)
    mode, stored = ("L", values.astype(np.uint8)) if bits == 8 else ("I;16", values * 257)
    file = io.BytesIO()
    image = pillow_heif.from_bytes(mode, (64, 64), stored.tobytes())
    image.save(file, quality=-1, full_range_flag=0)
    found = decode(write(tmp_path, "a.heic", file.getvalue()))[..., 0]
    step = 1 << (bits - 8)
    levels = values * ((256 * step - 1) / 255)
    want = ((levels - 16 * step) * 255 / (219 * step)).clip(0, 255)
    np.testing.assert_allclose(found, want, atol=1)
    assert (found.min(), found.max()) == (0, 255)


def test_a_broken_header_has_a_reason_without_the_folder(tmp_path):
    data = encoded(pattern(), "AVIF").replace(b"ispe", b"free")
    with pytest.raises(PhotoError) as caught:
        decode(write(tmp_path, "a.avif", data))
    assert str(caught.value) == "a.avif: is damaged (its header)"


def with_av1_colours(data, primaries, transfer):
    """An AVIF whose AV1 sequence header, in the box av1C, gives the code points in colr's place."""
    start = data.index(b"mdat") + 6  # after the temporal delimiter
    header = data[start : start + 2 + data[start + 1]]
    bits = f"{int.from_bytes(header):0{8 * len(header)}b}"
    before, after = (
        f"{first:08b}{second:08b}00000110" for first, second in ((1, 13), (primaries, transfer))
    )
    assert bits.count(before) == 1
    changed = int(bits.replace(before, after), 2).to_bytes(len(header))
    colour = data.index(b"colrnclx") - 4  # 19 bytes, after the 12 of av1C
    config = struct.pack(">L", 12 + len(changed)) + data[colour - 8 : colour] + changed
    unused = struct.pack(">L4s", 19 - len(changed), b"free")
    boxes = data[: colour - 12] + config + unused.ljust(19 - len(changed), b"\0")
    return boxes + data[colour + 19 : start] + changed + data[start + len(changed) :]


def test_colours_that_av1_alone_gives_count(tmp_path):
    data = encoded(pattern(), "AVIF", quality=90)
    srgb = decode(write(tmp_path, "a.avif", data))
    np.testing.assert_array_equal(decode(write(tmp_path, "b", with_av1_colours(data, 1, 13))), srgb)
    found = read(write(tmp_path, "c.avif", with_av1_colours(data, 12, 13)))
    assert found.notes == ("converted from Display P3 to sRGB",)
    assert (found.pixels != srgb).any()
    with pytest.raises(PhotoError, match="a high dynamic range image"):
        decode(write(tmp_path, "d.avif", with_av1_colours(data, 9, 16)))


def test_a_huge_avif_is_refused_for_its_size(tmp_path):
    data = encoded(pattern(), "AVIF")
    at = data.index(b"ispe") + 8
    with pytest.raises(PhotoError, match=r"too many pixels \(got 60000x60000"):
        decode(
            write(tmp_path, "a.avif", data[:at] + struct.pack(">LL", 60000, 60000) + data[at + 8 :])
        )


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits"])
def test_a_strip_without_its_size_goes_on_to_the_end(compression, tmp_path):
    data = encoded(pattern(), "TIFF", compression=compression, tiffinfo={278: 96})
    at = data.index(struct.pack("<HHL", Tag.STRIP_SIZES, 4, 1)) + 8
    path = write(tmp_path, "a.tif", data[:at] + bytes(4) + data[at + 4 :])
    np.testing.assert_array_equal(decode(path), pattern())


def test_an_index_beyond_a_palette_is_refused(tmp_path):
    data = png(np.full((4, 4, 1), 3, np.uint8), 2, palette=bytes(9))
    with pytest.raises(PhotoError, match="an index beyond its palette of 3 colours"):
        decode(write(tmp_path, "a.png", data))


def test_exif_of_a_jpeg_2000_is_kept(tmp_path):
    exif = Image.Exif()
    exif[0x013B] = "artist"
    content = b"JpgTiffExif->JP2" + exif.tobytes()
    data = encoded(pattern(), "JPEG2000") + struct.pack(">L4s", 8 + len(content), b"uuid") + content
    found = Image.Exif()
    found.load(read_image(write(tmp_path, "a.jp2", data)).metadata.exif)
    assert found[0x013B] == "artist"


def test_a_jpeg_2000_with_an_empty_palette_is_refused(tmp_path):
    data = encoded(pattern(), "JPEG2000")
    at = data.index(b"jp2h") - 4
    end = at + int.from_bytes(data[at : at + 4], "big")
    box = struct.pack(">L4sHBB", 12, b"pclr", 0, 1, 7)
    header = struct.pack(">L", end - at + len(box)) + data[at + 4 : end] + box
    with pytest.raises(PhotoError, match="a palette of a kind that is not read"):
        decode(write(tmp_path, "a.jp2", data[:at] + header + data[end:]))
