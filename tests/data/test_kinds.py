"""Which files are photographs."""

import pytest

from srmodels.data.kinds import list_files, photo_files, reader_of

from .pictures import encoded, pattern, write


def names(folder, paths):
    return [path.relative_to(folder).as_posix() for path in paths]


def test_photographs_are_found_at_any_depth_in_the_order_of_their_names(tmp_path):
    for name in ("b.PNG", "a/z.jpeg", "a/b/c.HEIC", "A.cr3"):
        write(tmp_path, name, b"")
    assert names(tmp_path, photo_files(tmp_path)) == ["A.cr3", "a/b/c.HEIC", "a/z.jpeg", "b.PNG"]


def test_hidden_files_and_systems_folders_are_left_out(tmp_path):
    for name in (".a.png", ".thumbs/a.png", "__MACOSX/a.png", "@eaDir/a.jpg"):
        write(tmp_path, name, b"")
    assert list_files(tmp_path) == ([], [])


def test_other_files_are_reported_apart(tmp_path):
    for name in ("film.mov", "a.xmp", "notes.txt"):
        write(tmp_path, name, b"\0\0\0\x14ftypqt  ")
    photos, others = list_files(tmp_path)
    assert not photos
    assert names(tmp_path, others) == ["a.xmp", "film.mov", "notes.txt"]


def test_a_picture_without_an_ending_is_found_by_its_content(tmp_path):
    write(tmp_path, "picture", encoded(pattern(), "JPEG"))
    assert names(tmp_path, photo_files(tmp_path)) == ["picture"]


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
    assert reader_of(head, suffix) == reader
