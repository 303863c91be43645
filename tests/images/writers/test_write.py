"""Results in every kind of file: values, metadata, limits."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
import skimage
import tifffile
from PIL import ExifTags, Image

from srmodels.atomic import replacing
from srmodels.errors import ConfigError, PhotoError
from srmodels.images.metadata import Metadata
from srmodels.images.readers.source_image import read_image
from srmodels.images.writers import tiff
from srmodels.images.writers.formats import FORMATS, format_named
from srmodels.images.writers.row_stream import row_stream
from srmodels.images.writers.write import write_picture, write_rows


@pytest.fixture
def metadata():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif.get_ifd(ExifTags.IFD.Exif).update({ExifTags.Base.ISOSpeedRatings: 100})
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({2: (52.0, 27.0, 34.58)})
    return Metadata(
        icc=None, exif=exif.tobytes(), xmp=b"<x:xmpmeta>\xc3\xa4</x:xmpmeta>", dpi=(300, 150)
    )


@pytest.fixture
def adobe_rgb():
    with Image.open(Path(skimage.__file__).parent / "data" / "rocket.jpg") as image:
        return image.info["icc_profile"]


def pixels(photo, channels, bits):
    values = np.dstack((photo, photo))[..., :channels]
    if bits == 8:
        return values
    return values.astype(np.uint16) * 256 + values[::-1]


def bands(stream, size=7):
    """The same in several bands."""
    image = stream.to_array()
    return dataclasses.replace(
        stream, bands=iter([image[top : top + size] for top in range(0, len(image), size)])
    )


def written(path, stream, name, **options):
    with replacing(path) as file:
        write_rows(file, stream, format_named(name), name=path.name, **options)
    return path


@pytest.mark.parametrize("name", ["png", "tiff"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_rows_become_a_file_with_every_value(tmp_path, photo, name, bits, channels):
    values = pixels(photo, channels, bits)
    path = written(tmp_path / "a", bands(row_stream(values)), name)
    if name == "tiff":
        read = tifffile.imread(path).reshape(values.shape)
    else:
        image = read_image(path)
        read = image.colour if image.alpha is None else np.dstack((image.colour, image.alpha))
    np.testing.assert_array_equal(read, values)


def test_a_large_tiff_is_a_bigtiff(tmp_path, photo, monkeypatch, metadata):
    monkeypatch.setattr(tiff, "_MAX_CLASSIC", 1000)
    path = written(tmp_path / "a.tif", row_stream(photo, metadata), "tiff")
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), photo)
        assert image.getexif().get_ifd(ExifTags.IFD.GPSInfo)[2] == (52.0, 27.0, 34.58)


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_metadata_is_carried_over(tmp_path, photo, kind, metadata):
    image = read_image(written(tmp_path / "a", row_stream(photo, metadata), kind.name))
    exif = Image.Exif()
    exif.load(image.metadata.exif)
    assert exif[ExifTags.Base.Make] == "Maker"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] == 100
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[2] == (52.0, 27.0, 34.58)
    assert image.metadata.xmp == metadata.xmp
    if kind.name in ("png", "tiff", "jpeg"):
        assert image.metadata.dpi == pytest.approx(
            (300, 150), abs=0.02
        )  # PNG counts pixels a metre


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_a_profile_is_carried_over(tmp_path, photo, kind, adobe_rgb):
    path = written(tmp_path / "a", row_stream(photo, Metadata(icc=adobe_rgb)), kind.name)
    assert read_image(path).metadata.icc == adobe_rgb


@pytest.mark.parametrize("name", ["jpeg", "webp", "heic", "avif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_lossy_formats_stay_near(tmp_path, photo, name, channels):
    values = pixels(photo, channels, 8)
    if name == "jpeg":
        values[..., -1] = values[..., -1] if channels in (1, 3) else 255
    image = read_image(written(tmp_path / "a", row_stream(values), name, quality=95))
    wanted = values[..., : 1 if channels < 3 else 3]
    assert np.abs(image.colour.astype(int) - wanted).mean() < 8  # half the colour in WebP
    if name != "jpeg" and channels in (2, 4):
        assert np.abs(image.alpha.astype(int) - values[..., -1]).mean() < 1


def test_quality_is_heeded(tmp_path, photo):
    sizes = [
        written(tmp_path / "a", row_stream(photo), "jpeg", quality=quality).stat().st_size
        for quality in (50, 95)
    ]
    assert sizes[0] < sizes[1] / 2


def test_transparency_does_not_go_into_jpeg(tmp_path, photo):
    with pytest.raises(PhotoError, match=r"a\.jpg: is partly transparent, .* \(got alpha down to"):
        written(tmp_path / "a.jpg", row_stream(pixels(photo, 4, 8)), "jpeg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("suffix", "height", "width"),
    [(".webp", 1, 16384), (".jpg", 65501, 1), (".heic", 16385, 1), (".avif", 20000, 20000)],
)
def test_a_result_too_large_for_a_format_is_refused_before_it_is_made(suffix, height, width):
    def never():
        raise AssertionError
        yield

    stream = dataclasses.replace(
        row_stream(np.zeros((1, 1, 3), np.uint8)), height=height, width=width, bands=never()
    )
    with pytest.raises(PhotoError, match=rf"too large for .* \(got {width}x{height}\)"):
        write_rows(io.BytesIO(), stream, format_named(suffix), name="a")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".PNG"])
def test_a_picture_is_written_by_its_ending(tmp_path, photo, suffix):
    write_picture(tmp_path / f"a{suffix}", photo)
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / f"a{suffix}")), photo)


def test_an_unknown_ending_lists_the_known_ones(tmp_path, photo):
    with pytest.raises(ConfigError, match=r"x\.bmp: unknown image format .* Use one of \.png"):
        write_picture(tmp_path / "x.bmp", photo)
