"""Many files: what fails, what is left alone, and that the rest goes on."""

import errno
import logging
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srmodels.images.readers.decode import read
from srmodels.images.writers.write import write_picture
from srmodels.inference.files import upscale_files as files
from srmodels.inference.files.plan import plan
from srmodels.inference.files.upscale_files import upscale_files
from tests.inference.nearest import nearest


def linear_grey() -> bytes:
    """A grey profile of gamma 1 (ICC.1:2022, sections 7 and 9.2)."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">L", 7) + b"linear\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">3l", 0xF6D6, 0x10000, 0xD32D),
        b"kTRC": b"curv" + bytes(4) + struct.pack(">LH", 1, 256) + bytes(2),
    }
    table, data, start = b"", b"", 132 + 12 * len(tags)
    for name, body in tags.items():
        table += struct.pack(">4sLL", name, start + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    head = struct.pack(
        ">L4sL4s4s4s", start + len(data), bytes(4), 0x02100000, b"mntr", b"GRAY", b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3l", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + struct.pack(">L", len(tags)) + table + data


def run(*inputs, output, **options):
    return upscale_files(plan([str(each) for each in inputs], str(output)), nearest(), **options)


def test_files_are_enlarged(tmp_path, photo):
    write_picture(tmp_path / "x.png", photo)
    outcome = run(tmp_path / "x.png", output=tmp_path / "new" / "y.png")
    assert (outcome.written, outcome.failed) == (1, [])
    made = np.array(Image.open(tmp_path / "new" / "y.png"))
    np.testing.assert_array_equal(made, photo.repeat(2, axis=0).repeat(2, axis=1))


def test_a_broken_file_does_not_stop_the_rest(tmp_path, photo):
    (tmp_path / "a.png").write_text("no picture")
    write_picture(tmp_path / "b.png", photo)
    names = ("a.png", "none.png", "b.png")
    outcome = run(*(tmp_path / name for name in names), output=tmp_path / "out")
    missing = str(tmp_path / "none.png")  # as it was given
    assert [sentence.split(":")[0] for sentence in outcome.failed] == ["a.png", missing]
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["b.png"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "x.png: its result does not fit into memory"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), "x.png: its result cannot be written"),
    ],
)
def test_what_is_one_picture_s_own_fault_does_not_stop_the_rest(
    tmp_path, photo, monkeypatch, error, sentence
):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("srmodels.inference.files.upscale_files.write_rows", fail)
    write_picture(tmp_path / "x.png", photo)
    (found,) = run(tmp_path / "x.png", output=tmp_path / "out").failed
    assert found.startswith(sentence)


def test_a_full_disk_stops_and_leaves_nothing_half_written(tmp_path, photo, monkeypatch):
    def fail(file, *_, **__):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("srmodels.inference.files.upscale_files.write_rows", fail)
    write_picture(tmp_path / "x.png", photo)
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path / "x.png", output=tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("count", [1, 3])
def test_an_interrupted_run_says_how_to_go_on(tmp_path, photo, monkeypatch, caplog, count):
    for number in range(count):
        write_picture(tmp_path / "in" / f"{number}.png", photo)
    upscale_image = files.upscale_image

    def interrupted(image, *words, **options):
        if len(list((tmp_path / "out").glob("*.png"))) == count - 1:
            raise KeyboardInterrupt
        return upscale_image(image, *words, **options)

    monkeypatch.setattr(files, "upscale_image", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "in", output=tmp_path / "out")
    assert ("interrupted: 2 of 3 pictures written; the same command" in caplog.text) == (count > 1)
    assert bool(caplog.text) == (count > 1)


def test_existing_results_can_be_left_alone(tmp_path, photo):
    for name in ("a.png", "b.png"):
        write_picture(tmp_path / name, photo)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_text("mine")
    inputs = (tmp_path / "a.png", tmp_path / "b.png")
    outcome = run(*inputs, output=tmp_path / "out", skip_existing=True)
    assert (outcome.written, outcome.existing) == (1, 1)
    assert (tmp_path / "out" / "a.png").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["with space", "quo\"te's", "new\nline", "tab\t", "ünï-写真", "\x1b[31m"]
)
def test_odd_names_are_enlarged_and_named_on_one_line(tmp_path, photo, caplog, name):
    caplog.set_level(logging.INFO)
    write_picture(tmp_path / f"{name}.png", photo)
    (tmp_path / f"{name}.jpg").write_text("no picture")
    outcome = run(tmp_path / f"{name}.png", tmp_path / f"{name}.jpg", output=tmp_path / "out")
    assert (tmp_path / "out" / f"{name}.png.png").is_file()
    (sentence,) = outcome.failed
    assert sentence.isprintable()
    assert all(record.getMessage().isprintable() for record in caplog.records)


def test_a_name_that_is_no_unicode_is_enlarged(tmp_path, photo):
    write_picture(tmp_path / "x.png", photo)
    odd = Path(str(tmp_path / "x")[:-1] + "\udcff.png")
    (tmp_path / "x.png").rename(odd)
    assert run(odd, output=tmp_path / "out").written == 1


def test_what_was_left_out_is_said(tmp_path, photo, caplog):
    caplog.set_level(logging.INFO)
    Image.fromarray(photo).save(tmp_path / "x.jpg", icc_profile=b"broken" * 30)
    assert run(tmp_path / "x.jpg", output=tmp_path / "out").written == 1
    assert "x.jpg: its colour profile cannot be read; taken as sRGB" in caplog.messages


@pytest.mark.parametrize("kind", ["webp", "avif", "heic", "png", "tif", "jpg"])
def test_grey_keeps_its_colours_in_every_format(tmp_path, kind):
    grey = np.full((16, 16), 55, np.uint8)
    Image.fromarray(grey).save(tmp_path / "x.png", icc_profile=linear_grey())
    want = read(tmp_path / "x.png").pixels.mean()
    assert want > 100
    assert run(tmp_path / "x.png", output=tmp_path / f"y.{kind}").written == 1
    found = read(tmp_path / f"y.{kind}").pixels
    assert abs(found.mean() - want) <= 2
    assert np.ptp(found, axis=2).max() <= 1


def test_larger_pictures_than_allowed_are_refused_unread(tmp_path, photo):
    write_picture(tmp_path / "x.png", photo)
    (sentence,) = run(tmp_path / "x.png", output=tmp_path / "out", max_pixels=100).failed
    assert sentence == "x.png: has too many pixels (got 128x96; max_pixels is 100)"


def test_a_picture_of_one_column_goes_through(tmp_path):
    write_picture(tmp_path / "x.png", np.zeros((100_000, 1, 3), np.uint8))
    assert run(tmp_path / "x.png", output=tmp_path / "out").written == 1
    (sentence,) = run(tmp_path / "x.png", output=tmp_path / "y.jpg").failed
    assert "the result is too large for jpeg" in sentence
    assert "(got 2x200000). Write .png or .tif" in sentence
