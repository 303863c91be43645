"""Both doors give what was written, in every combination of layout that the writers offer."""

import io
import itertools

import numpy as np
import openjpeg
import pillow_heif
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.color import lab2xyz

from srmodels.errors import PhotoError
from srmodels.images.orientation import apply_orientation
from srmodels.images.readers.decode import decode
from srmodels.images.readers.source_image import read_image
from tests.images.pictures import chunk, encoded, pattern, png, write

HEIGHT, WIDTH = 37, 53
OPTIONS = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


def values_of(bits, channels, seed=3):
    """Noise over a slope, of all values of `bits` bits."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 1 << bits, (HEIGHT, WIDTH, channels))
    values[0, : min(WIDTH, 1 << bits)] = np.arange(min(WIDTH, 1 << bits))[:, None]
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


def scaled(values, bits):
    """The oracle for both doors: all of 8 or 16 bits, and 8 bits."""
    top = (1 << bits) - 1
    full = 255 if bits <= 8 else 65535
    stored = np.floor(values.astype(np.float64) * full / top + 0.5)
    return stored, np.floor(stored * 255 / full + 0.5)


def check(path, colour, alpha, bits, orientation=1):
    """Compares both doors with colour (H, W, 1 or 3) and alpha (H, W) of `bits` bits."""
    stored, small = scaled(apply_orientation(colour, orientation), bits)
    image = read_image(path)
    np.testing.assert_array_equal(image.colour, stored)
    if alpha is None:
        assert image.alpha is None
        np.testing.assert_array_equal(decode(path), np.broadcast_to(small, (*small.shape[:2], 3)))
        return
    alpha = scaled(apply_orientation(alpha, orientation), bits)[0]
    np.testing.assert_array_equal(image.alpha, alpha)
    with pytest.raises(PhotoError, match="partly transparent"):
        decode(path)


def compressed(data, kind):
    """Rows of bytes as one strip, by libtiff."""
    name = "tiff_lzw" if kind == "lzw" else kind
    file = encoded(Image.fromarray(data), "TIFF", compression=name, tiffinfo={278: len(data)})
    with tifffile.TiffFile(io.BytesIO(file)) as tiff:
        page = tiff.pages.first
        assert (len(page.dataoffsets), page.compression) == (1, CODES[kind])
        return file[page.dataoffsets[0] :][: page.databytecounts[0]]


def segments(values, *, planar, tile, rows, predictor, order, kind):
    """The compressed strips or tiles of (H, W, C)."""
    planes = [values[..., k : k + 1] for k in range(values.shape[2])] if planar else [values]
    step_y, step_x = tile or (rows, WIDTH)
    for plane, y, x in itertools.product(planes, range(0, HEIGHT, step_y), range(0, WIDTH, step_x)):
        part = plane[y : y + step_y, x : x + step_x]
        if tile:
            padding = ((0, step_y - part.shape[0]), (0, step_x - part.shape[1]), (0, 0))
            part = np.pad(part, padding, "edge")
        if predictor:
            part = np.concatenate((part[:, :1], np.diff(part, axis=1)), axis=1)
        ordered = np.ascontiguousarray(part.astype(part.dtype.newbyteorder(order)))
        yield compressed(ordered.view(np.uint8).reshape(len(part), -1), kind)


TIFFS = {
    "kind": ["grey", "inverted", "rgb"],
    "extra": [None, "unspecified", "assocalpha", "unassalpha"],
    "bits": [8, 16],
    "planar": [False, True],
    "compression": [None, "zlib", "lzw", "packbits", "zstd", "lzma"],
    "predictor": [False, True],
    "order": ["<", ">"],
    "tile": [None, (16, 32)],
    "rows": [5, HEIGHT],
    "bigtiff": [False, True],
    "orientation": [1, 2, 3, 4, 5, 6, 7, 8],
}
CODES = {"lzw": 5, "packbits": 32773, "zstd": 50000, "lzma": 34925}
NUMBERS = {3: "u2", 4: "u4", 16: "u8"}


def tiff_file(entries, parts, *, order, big=False, tiled=False):
    """A TIFF of tags (type and values each) and of strips or tiles."""
    word, place = ("u8", 16) if big else ("u4", 4)
    body, lists = b"".join(parts), b""
    first = 16 if big else 8
    offsets = np.cumsum([first, *map(len, parts)])[:-1]
    entries = {
        **entries,
        324 if tiled else 273: (place, offsets),
        325 if tiled else 279: (place, [len(part) for part in parts]),
    }
    directory = np.array(len(entries), order + ("u8" if big else "u2")).tobytes()
    for tag, (kind, numbers) in sorted(entries.items()):
        data = np.asarray(numbers).astype(order + NUMBERS[kind]).tobytes()
        directory += np.array([tag, kind], order + "u2").tobytes()
        directory += np.array(len(np.atleast_1d(numbers)), order + word).tobytes()
        if len(data) > (8 if big else 4):
            where = first + len(body) + len(lists)
            lists += data + bytes(len(data) % 2)
            data = np.array(where, order + word).tobytes()
        directory += data.ljust(8 if big else 4, b"\0")
    start = np.array(first + len(body) + len(lists), order + word).tobytes()
    head = b"II" if order == "<" else b"MM"
    head += np.array([43, 8, 0] if big else [42], order + "u2").tobytes() + start
    return head + body + lists + directory + bytes(8)


def write_tiff(path, values, layout):
    planar = layout["planar"] and values.shape[2] > 1
    tile, rows, order, big = (layout[key] for key in ("tile", "rows", "order", "bigtiff"))
    kind, extra, compression = (layout[key] for key in ("kind", "extra", "compression"))
    if compression in CODES:
        keys = ("tile", "rows", "predictor", "order")
        options = {key: layout[key] for key in keys}
        parts = list(segments(values, planar=planar, kind=compression, **options))
        entries = {256: (4, WIDTH), 257: (4, HEIGHT), 259: (3, CODES[compression])}
        entries |= {258: (3, [8 * values.itemsize] * values.shape[2]), 277: (3, values.shape[2])}
        entries |= {262: (3, {"grey": 1, "inverted": 0, "rgb": 2}[kind])}
        entries |= {274: (3, layout["orientation"]), 284: (3, 2 if planar else 1)}
        entries |= {317: (3, 2)} if layout["predictor"] else {}
        if extra:
            codes = {"unspecified": 0, "assocalpha": 1, "unassalpha": 2}
            entries[338] = (3, [codes[extra]])
        entries |= {322: (4, tile[1]), 323: (4, tile[0])} if tile else {278: (4, rows)}
        path.write_bytes(tiff_file(entries, parts, order=order, big=big, tiled=bool(tile)))
        return
    options = {"byteorder": order, "metadata": None, "bigtiff": big, "compression": compression}
    options["photometric"] = {"grey": "minisblack", "inverted": "miniswhite", "rgb": "rgb"}[kind]
    options["extratags"] = [(274, 3, 1, layout["orientation"], True)]
    options["predictor"] = layout["predictor"] and compression is not None
    options |= {"tile": tile} if tile else {"rowsperstrip": rows}
    options |= {"extrasamples": [extra]} if extra else {}
    if values.shape[2] > 1:
        options["planarconfig"] = "separate" if planar else "contig"
    stored = np.moveaxis(values, -1, 0) if planar else values.squeeze()
    tifffile.imwrite(path, stored, **options)


@pytest.mark.slow
@settings(max_examples=400, **OPTIONS)
@given(st.fixed_dictionaries({key: st.sampled_from(values) for key, values in TIFFS.items()}))
def test_tiff(tmp_path, layout):
    layout = {**layout}
    bits = layout.pop("bits")
    colours = 3 if layout["kind"] == "rgb" else 1
    values = values_of(bits, colours + bool(layout["extra"]))
    top = (1 << bits) - 1
    alpha = values[..., -1] if layout["extra"] in ("assocalpha", "unassalpha") else None
    if layout["extra"] == "assocalpha":  # opaque or clear, so that dividing by it is exact
        values[..., -1] = np.where(values[..., -1] % 2, top, 0)
        if layout["kind"] == "inverted":
            return  # what black is in a premultiplied inverted picture, nobody says
        values[..., :-1][values[..., -1] == 0] = 0
    colour = values[..., :colours]
    write_tiff(tmp_path / "a.tif", values, layout)
    colour = top - colour if layout["kind"] == "inverted" else colour
    check(tmp_path / "a.tif", colour, alpha, bits, layout["orientation"])


def packed_tiff(values, bits, *, order, photometric, palette=None, planar=False):
    """Samples of any number of bits, rows padded to bytes, one strip per plane."""
    planes = [values[..., k : k + 1] for k in range(values.shape[2])] if planar else [values]
    places = np.arange(bits - 1, -1, -1)
    strips = [
        np.packbits((plane[..., None] >> places & 1).astype(bool).reshape(HEIGHT, -1), axis=1)
        for plane in planes
    ]
    if bits == 16:
        strips = [plane.astype(order + "u2") for plane in planes]
    samples = values.shape[2]
    entries = {256: (4, WIDTH), 257: (4, HEIGHT), 258: (3, [bits] * samples), 259: (3, 1)}
    entries |= {262: (3, photometric), 277: (3, samples), 278: (4, HEIGHT)}
    entries |= {284: (3, 2 if planar else 1)} | ({} if palette is None else {320: (3, palette)})
    return tiff_file(entries, [strip.tobytes() for strip in strips], order=order)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("kind", ["grey", "inverted", "rgb"])
def test_tiff_of_any_number_of_bits(tmp_path, kind, planar, bits, order):
    values = values_of(bits, 3 if kind == "rgb" else 1)
    photometric = {"grey": 1, "inverted": 0, "rgb": 2}[kind]
    data = packed_tiff(values, bits, order=order, photometric=photometric, planar=planar)
    colour = (1 << bits) - 1 - values if kind == "inverted" else values
    check(write(tmp_path, "a.tif", data), colour, None, bits)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_tiff_with_a_palette(tmp_path, bits, order):
    values = values_of(bits, 1)
    colours = np.random.default_rng(5).integers(0, 256, (1 << bits, 3)).astype(np.uint8)
    colours[0] = 255  # else all may be below 256
    palette = (colours.T.astype(np.uint16) * 257).ravel()
    data = packed_tiff(values, bits, order=order, photometric=3, palette=palette)
    check(write(tmp_path, "a.tif", data), colours[values[..., 0]], None, 8)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_tiff_of_cmyk(tmp_path, planar, bits):
    values, top = values_of(bits, 4), (1 << bits) - 1
    stored = np.moveaxis(values, -1, 0) if planar == "separate" else values
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="separated", planarconfig=planar, metadata=None)
    inks = values / top
    want = (1 - inks[..., :3]) * (1 - inks[..., 3:])
    assert np.abs(read_image(path).colour - want * top).max() <= 1
    assert np.abs(decode(path) - want * 255).max() <= 1


# XYZ relative to D50 to linear sRGB by Bradford's adaptation (brucelindbloom.com)
FROM_D50 = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_tiff_of_lab(tmp_path, planar, bits):
    values = values_of(8, 3) // np.uint8((2, 4, 4)) + np.uint8((128, 0, 0))  # all positive
    lab = values.astype(float) * (100 / 255, 1, 1)
    linear = np.clip(lab2xyz(lab, illuminant="D50") @ np.transpose(FROM_D50), 0, 1)
    want = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    stored = values if bits == 8 else values.astype(np.uint16) * np.uint16((257, 256, 256))
    stored = np.moveaxis(stored, -1, 0) if planar == "separate" else stored
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="cielab", planarconfig=planar, metadata=None)
    assert np.abs(decode(path) - 255 * want).max() < 1
    assert np.abs(read_image(path).colour / (1 if bits == 8 else 257) - 255 * want).max() < 1


@pytest.mark.slow
@settings(max_examples=150, **OPTIONS)
@given(
    kind=st.sampled_from(["grey", "grey-alpha", "rgb", "rgba"]),
    bits=st.sampled_from([8, 16]),
    interlaced=st.booleans(),
    marked=st.booleans(),
    orientation=st.integers(1, 8),
)
def test_png(tmp_path, kind, bits, interlaced, marked, orientation):
    channels = {"grey": 1, "grey-alpha": 2, "rgb": 3, "rgba": 4}[kind]
    values = values_of(bits, channels)
    colour, alpha = (values[..., :-1], values[..., -1]) if channels in (2, 4) else (values, None)
    exif = Image.Exif()
    exif[274] = orientation
    before = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    if marked and alpha is None:
        before += chunk(b"tRNS", values[4, 5].astype(">u2").tobytes())
        alpha = np.where((values == values[4, 5]).all(axis=-1), 0, (1 << bits) - 1)
    path = write(tmp_path, "a.png", png(values, bits, interlaced=interlaced, before=before))
    check(path, colour, alpha, bits, orientation)


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_bits(tmp_path, bits, interlaced, marked):
    values = values_of(bits, 1)
    before = chunk(b"tRNS", b"\0\1") if marked else b""
    path = write(tmp_path, "a.png", png(values, bits, interlaced=interlaced, before=before))
    top = (1 << bits) - 1
    check(path, values, np.where(values[..., 0] == 1, 0, top) if marked else None, bits)


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_png_with_a_palette(tmp_path, bits, transparent):
    values, colours = values_of(bits, 1), pattern(1, 1 << bits)[0]
    clear = bytes([7]) if transparent else b""
    before = chunk(b"tRNS", clear) if transparent else b""
    path = write(tmp_path, "a.png", png(values, bits, palette=colours.tobytes(), before=before))
    alpha = np.where(values[..., 0] == 0, 7, 255).astype(np.uint8) if transparent else None
    check(path, colours[values[..., 0]], alpha, 8)


@pytest.mark.parametrize("boxed", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 7, 8, 10, 12, 16])
def test_jpeg_2000(tmp_path, bits, channels, boxed):
    values = values_of(bits, channels)
    data = openjpeg.encode(
        values.squeeze(),
        codec_format=int(boxed),
        photometric_interpretation={1: 2, 3: 1}[channels],
        bits_stored=bits,
    )
    check(write(tmp_path, "a.jp2", bytes(data)), values, None, bits)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_jpeg_2000_by_pillow(tmp_path, mode):
    values = values_of(8, len(mode))
    image = Image.fromarray(values.squeeze(), mode)
    colour, alpha = (values[..., :-1], values[..., -1]) if mode[-1] == "A" else (values, None)
    check(write(tmp_path, "a.jp2", encoded(image, "JPEG2000")), colour, alpha, 8)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "RGBa", "RGB;16", "RGBA;16"])
def test_heif_without_loss(tmp_path, mode):
    name, bits = mode.split(";")[0], 16 if ";" in mode else 8
    y, x = np.mgrid[0:64, 0:96]  # smooth, as HEVC has no lossless profile here
    top = (1 << bits) - 1
    values = np.stack([x / 95, y / 63, (x + y) / 158, 0.5 + x / 190][: len(name)], axis=-1)
    values = (values * top).astype(np.uint8 if bits == 8 else np.uint16)
    if name == "RGBa":
        values[..., :3] = values[..., :3] * (values[..., 3:] / 255)
    heif = pillow_heif.from_bytes(mode, (96, 64), values.tobytes())
    file = io.BytesIO()
    heif.save(file, quality=-1, chroma=444, matrix_coefficients=0)
    image = read_image(write(tmp_path, "a.heic", file.getvalue()))
    colours = 1 if name in ("L", "LA") else 3
    colour = values[..., :colours].astype(float)
    if name == "RGBa":
        colour = (colour * 255 / values[..., 3:]).clip(0, 255)
    found = image.colour.astype(float)
    assert np.abs(found - colour).max() <= (2 if bits == 8 else 80)
    assert (image.alpha is None) == (len(name) in (1, 3))
    if image.alpha is not None:
        assert np.abs(image.alpha.astype(float) - values[..., -1]).max() <= (2 if bits == 8 else 80)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_turned_by_its_boxes(tmp_path, orientation, alpha):
    y, x = np.mgrid[0:64, 0:96]
    values = np.stack([2 * x, 3 * y, x + y, 100 + x], axis=-1).astype(np.uint8)
    values = values if alpha else values[..., :3]
    exif = Image.Exif()
    exif[274] = orientation
    data = encoded(values, "AVIF", quality=100, subsampling="4:4:4", exif=exif)
    image = read_image(write(tmp_path, "a.avif", data))
    want = apply_orientation(values, orientation).astype(int)
    assert np.abs(image.colour - want[..., :3]).max() <= 3
    assert image.alpha is None or np.abs(image.alpha - want[..., 3]).max() <= 2


@pytest.mark.parametrize("kind", ["1", "L", "P", "RGB", "RGBA"])
def test_bmp_by_pillow(tmp_path, kind):
    image = Image.fromarray(pattern(HEIGHT, WIDTH)).convert(kind)
    path = write(tmp_path, "a.bmp", encoded(image, "BMP"))
    want = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(decode(path), want)


@pytest.mark.parametrize("top", [1, 7, 255, 1023, 65535])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6])
def test_netpbm(tmp_path, kind, top):
    channels, is_bitmap = 3 if kind in (3, 6) else 1, kind in (1, 4)
    if is_bitmap and top > 1:
        return
    rng = np.random.default_rng(9)
    values = rng.integers(0, top + 1, (HEIGHT, WIDTH, channels))
    head = f"P{kind}\n# a comment\n{WIDTH} {HEIGHT}\n" + ("" if is_bitmap else f"{top}\n")
    if kind <= 3:
        body = "\n".join(" ".join(map(str, row.ravel())) for row in values).encode()
    elif is_bitmap:
        body = np.packbits(values[..., 0].astype(np.uint8), axis=1).tobytes()
    else:
        body = values.astype(">u2" if top > 255 else "u1").tobytes()
    image = read_image(write(tmp_path, "a.ppm", head.encode() + body))
    full = 255 if top < 256 else 65535
    shown = 1 - values if is_bitmap else values
    np.testing.assert_array_equal(image.colour, np.floor(shown * (full / top) + 0.5))


def fax(pixels, kind, *, options=0, rows=HEIGHT, reverse=False, cut=0):
    """A fax in strips, by libtiff, with T4Options, either fill order, and bytes cut off each."""
    parts = []
    for top in range(0, len(pixels), rows):
        part = pixels[top : top + rows]
        file = encoded(
            Image.fromarray(part), "TIFF", compression=kind, tiffinfo={278: len(part), 292: options}
        )
        with tifffile.TiffFile(io.BytesIO(file)) as tiff:
            page = tiff.pages.first
            data = file[page.dataoffsets[0] :][: page.databytecounts[0]]
        bits = np.unpackbits(np.frombuffer(data[: len(data) - cut], np.uint8))
        parts.append(np.packbits(bits, bitorder="little" if reverse else "big").tobytes())
    height, width = pixels.shape
    entries = {256: (4, width), 257: (4, height), 258: (3, 1), 262: (3, 0), 277: (3, 1)}
    entries |= {259: (3, {"tiff_ccitt": 2, "group3": 3, "group4": 4}[kind]), 278: (4, rows)}
    entries |= {266: (3, 2 if reverse else 1), 292: (4, options)}
    return tiff_file(entries, parts, order="<")


FAXES = [("tiff_ccitt", 0), *(("group3", options) for options in (0, 1, 4, 5)), ("group4", 0)]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("rows", [5, HEIGHT])
@pytest.mark.parametrize(("kind", "options"), FAXES)
def test_fax(tmp_path, kind, options, rows, reverse):
    pixels = pattern(HEIGHT, 90)[..., 0] > 120
    data = fax(pixels, kind, options=options, rows=rows, reverse=reverse)
    check(write(tmp_path, "a.tif", data), (~pixels)[..., None].astype(np.uint8), None, 1)


@pytest.mark.parametrize("cut", [6, 15, 40])
@pytest.mark.parametrize(("kind", "options"), FAXES)
def test_a_fax_that_misses_rows_is_refused(tmp_path, kind, options, cut):
    pixels = pattern(HEIGHT, 90)[..., 0] > 120
    with pytest.raises(PhotoError, match="is damaged"):
        decode(write(tmp_path, "a.tif", fax(pixels, kind, options=options, cut=cut)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 1), (1, 2), (2, 2), (4, 2)])
def test_tiff_of_subsampled_ycbcr_without_jpeg(tmp_path, across, down, order):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    colour = np.stack([x * 4, y * 6, (x + y) * 2 + 30], axis=-1).astype(np.uint8)
    ycc = np.asarray(Image.fromarray(colour).convert("YCbCr"))
    edges = ((0, -HEIGHT % down), (0, -WIDTH % across), (0, 0))
    padded = np.pad(ycc, edges, "edge").astype(np.uint16)
    rows, columns = padded.shape[0] // down, padded.shape[1] // across
    blocks = padded.reshape(rows, down, columns, across, 3).swapaxes(1, 2)
    luma = blocks[..., 0].reshape(rows, columns, -1)
    chroma = blocks[..., 1:].reshape(rows, columns, -1, 2).mean(axis=2)
    body = np.concatenate((luma, chroma), axis=-1).astype(np.uint8).tobytes()
    entries = {256: (4, WIDTH), 257: (4, HEIGHT), 258: (3, [8] * 3), 259: (3, 1), 262: (3, 6)}
    entries |= {277: (3, 3), 278: (4, HEIGHT), 284: (3, 1), 530: (3, [across, down])}
    pixels = decode(write(tmp_path, "a.tif", tiff_file(entries, [body], order=order)))
    assert np.abs(pixels.astype(int) - colour).mean() < 2.5
