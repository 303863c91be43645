"""Unpacking: completely or not at all, and nothing outside of the target."""

import io
import signal
import subprocess
import sys
import tarfile
import time
import zipfile

import pytest

from srmodels.data.datasets.archive import Limits, is_unpacked, unpack
from srmodels.errors import DataError

KINDS = ("zip", "tar", "tar.gz", "tgz")


def packed(path, files):
    """An archive of some files: contents by name; a str is the target of a link."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                info = zipfile.ZipInfo(name)
                info.compress_type = zipfile.ZIP_DEFLATED
                if isinstance(content, str):
                    info.external_attr = 0o120777 << 16
                archive.writestr(info, content)
        return path
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content if info.size else b""))
    return path


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("[!.]*.png"))


@pytest.fixture(params=KINDS)
def archive(request, tmp_path):
    """Two photographs in a folder, and what else lies in public archives."""
    files = [("set/HR/a.png", b"a" * 99), ("set/HR/sub/b.png", b"b"), ("set/code/x.png", b"x")]
    return packed(tmp_path / f"x.{request.param}", files)


def test_one_folder_of_an_archive_is_unpacked(archive, tmp_path):
    unpack(archive, "set/HR", tmp_path / "out/HR", sha256="1")
    assert files_below(tmp_path / "out/HR") == ["a.png", "sub/b.png"]
    assert (tmp_path / "out/HR/a.png").read_bytes() == b"a" * 99
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["HR"]


@pytest.mark.parametrize("kind", KINDS)
def test_backslashes_in_names_are_folders(kind, tmp_path):
    path = packed(tmp_path / f"x.{kind}", [("set\\HR\\sub\\a.png", b"a")])
    unpack(path, "set/HR", tmp_path / "HR", sha256="1")
    assert files_below(tmp_path / "HR") == ["sub/a.png"]


def test_a_folder_that_is_whole_is_known_by_its_archives_digest(archive, tmp_path):
    unpack(archive, "set/HR", tmp_path / "HR", sha256="1")
    assert is_unpacked(tmp_path / "HR", archive, sha256="1")
    assert is_unpacked(tmp_path / "HR", archive, sha256="")
    assert not is_unpacked(tmp_path / "HR", archive, sha256="2")
    archive.unlink()
    assert is_unpacked(tmp_path / "HR", archive, sha256="1")


def test_a_lost_file_is_noticed(archive, tmp_path):
    unpack(archive, "set/HR", tmp_path / "HR", sha256="1")
    (tmp_path / "HR/a.png").unlink()
    assert not is_unpacked(tmp_path / "HR", archive, sha256="1")


def test_another_archive_is_noticed_and_takes_the_place_of_the_first(archive, tmp_path):
    unpack(archive, "set/HR", tmp_path / "HR", sha256="1")
    packed(archive, [("set/HR/c.png", b"c")])
    assert not is_unpacked(tmp_path / "HR", archive, sha256="")
    unpack(archive, "set/HR", tmp_path / "HR", sha256="2")
    assert files_below(tmp_path / "HR") == ["c.png"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("../a.png", b"a", "leads out"),
        ("set/HR/../../../a.png", b"a", "leads out"),
        ("/tmp/a.png", b"a", "leads out"),
        ("..\\a.png", b"a", "leads out"),
        ("C:/a.png", b"a", "leads out"),
        ("set/HR/a.png", "/etc/passwd", "a link"),
        ("set/HR/ok.png", b"a", "two files at one place"),
        ("set/HR/ok.png/a.png", b"a", "two files at one place"),
        ("set/HR/a.png", bytes(10_000_000), "more than"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_has_no_business_in_an_archive_is_refused(name, content, sentence, kind, tmp_path):
    path = packed(tmp_path / f"x.{kind}", [("set/HR/ok.png", b"ok"), (name, content)])
    limits = Limits(bytes=1_000_000)
    with pytest.raises(DataError, match=rf"x\.{kind}: holds .*{sentence}"):
        unpack(path, "set/HR", tmp_path / "out/HR", sha256="1", limits=limits)
    assert list((tmp_path / "out").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", path.name]


def test_a_bomb_is_known_by_how_much_it_grows(tmp_path):
    path = packed(tmp_path / "x.zip", [("a.png", bytes(10_000_000))])
    with pytest.raises(DataError, match="more than"):
        unpack(path, "", tmp_path / "out", sha256="1")


def test_more_files_than_the_limit_are_refused(tmp_path):
    path = packed(tmp_path / "x.tar", [(f"{number}.png", b"") for number in range(4)])
    with pytest.raises(DataError, match="3 files"):
        unpack(path, "", tmp_path / "out", sha256="1", limits=Limits(files=3))


def test_a_link_that_nobody_wants_does_no_harm(tmp_path):
    path = packed(tmp_path / "x.tar", [("HR/a.png", b"a"), ("code/link", "/etc/passwd")])
    unpack(path, "HR", tmp_path / "HR", sha256="1")
    assert files_below(tmp_path / "HR") == ["a.png"]


def test_a_folder_that_is_not_there_is_named(archive, tmp_path):
    with pytest.raises(DataError, match="holds no files in set/LR"):
        unpack(archive, "set/LR", tmp_path / "LR", sha256="1")


def test_a_damaged_archive_is_named_and_leaves_nothing(archive, tmp_path):
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2 if archive.suffix != ".tar" else 600])
    with pytest.raises(DataError, match="is damaged"):
        unpack(archive, "set/HR", tmp_path / "out/HR", sha256="1")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_a_killed_unpacking_leaves_nothing_that_looks_whole_and_is_done_again(tmp_path):
    path = packed(tmp_path / "x.tar", [(f"HR/{number}.png", b"a" * 99) for number in range(5_000)])
    text = (
        "import sys; from pathlib import Path; from srmodels.data.datasets.archive import unpack; "
        "unpack(Path(sys.argv[1]), 'HR', Path(sys.argv[2]), sha256='1')"
    )
    target = tmp_path / "out/HR"
    words = [sys.executable, "-c", text, str(path), str(target)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        while not list(tmp_path.glob("out/.HR.*/5.png")):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not target.exists()
    assert not is_unpacked(target, path, sha256="1")
    packed(path, [("HR/a.png", b"a")])
    unpack(path, "HR", target, sha256="1")
    assert [entry.name for entry in target.parent.iterdir()] == ["HR"]
