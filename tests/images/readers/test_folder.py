"""Which files below a folder are listed, and what is said of the others."""

import os
import socket

import pytest

from srmodels.images.readers.folder import list_files, photo_files
from tests.images.pictures import encoded, pattern, write


def names(folder, paths):
    return [path.relative_to(folder).as_posix() for path in paths]


def reasons(folder):
    return {path.relative_to(folder).as_posix(): reason for path, reason in list_files(folder)[1]}


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
    assert not photo_files(tmp_path)
    assert reasons(tmp_path) == dict.fromkeys(
        ["a.xmp", "film.mov", "notes.txt"], "is no photograph"
    )


def test_a_picture_without_an_ending_is_found_by_its_content(tmp_path):
    write(tmp_path, "picture", encoded(pattern(), "JPEG"))
    assert names(tmp_path, photo_files(tmp_path)) == ["picture"]


def test_a_linked_photograph_is_one_and_a_linked_folder_is_told_of(tmp_path):
    write(tmp_path, "mine/a.png", b"")
    (tmp_path / "mine/b.png").symlink_to("a.png")
    (tmp_path / "mine/loop").symlink_to(tmp_path)
    assert names(tmp_path, photo_files(tmp_path)) == ["mine/a.png", "mine/b.png"]
    assert reasons(tmp_path) == {"mine/loop": "is a link to a folder. Name that folder instead"}


def test_what_cannot_be_read_like_a_file_is_told_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's name is short
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "self.png").symlink_to("self.png")
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("socket.png")
        found = reasons(tmp_path)
    assert found["gone.png"] == "cannot be opened (No such file or directory)"
    assert found["self.png"] == "cannot be opened (Too many levels of symbolic links)"
    assert found["pipe.png"] == found["socket.png"] == "is no file but a device, a pipe or a socket"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_folder_without_permission_is_told_of(tmp_path):
    write(tmp_path, "closed/a.png", b"")
    (tmp_path / "closed").chmod(0)
    found = reasons(tmp_path)
    (tmp_path / "closed").chmod(0o700)
    assert found == {"closed": "cannot be listed (Permission denied)"}
