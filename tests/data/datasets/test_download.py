"""Fetching an archive from a server that drops, lies, is busy or is not there."""

import hashlib
import io
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from types import SimpleNamespace

import pytest

from srmodels.cache import cache_folder, cache_lock
from srmodels.data.datasets.definition import Archive
from srmodels.data.datasets.download import fetch, trusted_digest
from srmodels.data.datasets.http import RetryPolicy
from srmodels.errors import DataError
from tests.data.datasets.server import serving

QUICK = RetryPolicy(attempts=3, wait=0.001, timeout=0.5)


def zipped(seed, size=400_000):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.bin", random.Random(seed).randbytes(size))
    return buffer.getvalue()


CONTENT, OTHER = zipped(0), zipped(1)
SHA256, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def site():
    with serving() as site:
        site.files = {"a.zip": CONTENT}
        yield site


def known(site, **changes):
    values = {"urls": (f"{site.url}/a.zip",), "bytes": len(CONTENT), "sha256": SHA256}
    return Archive(**values | changes)


def unknown(site):
    return known(site, bytes=0, sha256="")


def fetched(tmp_path, archive):
    assert fetch(tmp_path / "a.zip", archive, policy=QUICK) == SHA256
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert not list(tmp_path.glob("*.part*"))


def test_an_archive_is_fetched_once(tmp_path, site):
    fetched(tmp_path, known(site))
    fetched(tmp_path, known(site))
    assert site.seen == [None]


@pytest.mark.parametrize("of", [known, unknown])
def test_a_dropped_connection_is_gone_on_from_where_it_broke(of, tmp_path, site):
    site.faults = [{"cut": 100_000}, {"cut": 50_000}]
    fetched(tmp_path, of(site))
    assert site.seen == [None, "bytes=100000-", "bytes=150000-"]


def test_a_server_that_ignores_range_is_read_from_the_start(tmp_path, site):
    site.ranges = False
    site.faults = [{"cut": 100_000}]
    fetched(tmp_path, known(site))
    assert site.seen == [None, "bytes=100000-"]


def test_halves_of_two_versions_are_never_glued(tmp_path, site):
    site.faults = [{"cut": 100_000, "content": OTHER}]
    fetched(tmp_path, unknown(site))


def test_a_part_of_an_unknown_file_is_not_trusted_where_versions_cannot_be_told_apart(
    tmp_path, site
):
    site.etags = False
    site.faults = [{"cut": 100_000, "content": OTHER}]
    fetched(tmp_path, unknown(site))
    assert site.seen == [None, None]


def test_a_part_larger_than_the_file_is_not_gone_on_from(tmp_path, site):
    (tmp_path / "a.zip.part").write_bytes(bytes(len(CONTENT) + 1))
    fetched(tmp_path, known(site))


def test_a_wrong_digest_is_fetched_once_more(tmp_path, site):
    site.faults = [{"content": CONTENT[:-1] + b"?"}]
    fetched(tmp_path, known(site))
    assert site.seen == [None, None]


def test_a_digest_that_stays_wrong_is_named_beside_the_right_one(tmp_path, site):
    site.files = {"a.zip": CONTENT[:-1] + b"?"}
    wrong = hashlib.sha256(site.files["a.zip"]).hexdigest()
    with pytest.raises(DataError, match=rf"got SHA-256 {wrong}.*SHA-256 {SHA256}"):
        fetch(tmp_path / "a.zip", known(site), policy=QUICK)
    assert len(site.seen) == 2
    assert not list(tmp_path.glob("a.zip*"))


def test_a_wrong_length_is_refused_before_it_is_fetched(tmp_path, site):
    site.files = {"a.zip": CONTENT[:-1]}
    with pytest.raises(DataError, match=rf"offers {len(CONTENT) - 1} bytes instead of"):
        fetch(tmp_path / "a.zip", known(site), policy=QUICK)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status, tmp_path, site):
    site.faults = [{"status": status}, {"status": status}]
    fetched(tmp_path, known(site))


@pytest.mark.slow
def test_the_wait_that_a_server_asks_for_is_kept(tmp_path, site):
    site.faults = [{"status": 503, "headers": {"Retry-After": "1"}}]
    began = time.monotonic()
    fetched(tmp_path, known(site))
    assert time.monotonic() - began >= 1


def test_a_server_that_asks_for_too_long_a_wait_is_left_for_the_next_mirror(tmp_path, site):
    site.faults = [{"status": 503, "headers": {"Retry-After": "86400"}}]
    fetched(tmp_path, known(site, urls=(f"{site.url}/a.zip", f"{site.url}//a.zip")))
    assert site.seen == [None, None]


def test_a_server_that_stays_busy_is_given_up(tmp_path, site):
    site.faults = [{"status": 503}] * 9
    with pytest.raises(DataError, match="HTTP 503 Service Unavailable, 3 times in a row"):
        fetch(tmp_path / "a.zip", known(site), policy=QUICK)


def test_a_silent_server_counts_as_dropped(tmp_path, site):
    hold = threading.Event()
    site.faults = [{"cut": 100_000, "hold": hold}]
    fetched(tmp_path, known(site))
    hold.set()
    assert site.seen[1] == "bytes=100000-"


def test_a_missing_file_is_not_asked_for_again(tmp_path, site):
    site.files = {}
    with pytest.raises(DataError, match="HTTP 404 Not Found"):
        fetch(tmp_path / "a.zip", known(site), policy=QUICK)
    assert len(site.seen) == 1


def test_the_next_mirror_helps_and_goes_on_with_the_part(tmp_path, site):
    site.faults = [{"cut": 100_000}, {"status": 404}]
    fetched(tmp_path, known(site, urls=(f"{site.url}/a.zip", f"{site.url}//a.zip")))
    assert site.seen == [None, "bytes=100000-", "bytes=100000-"]


def test_without_a_network_the_place_for_the_file_is_named(tmp_path):
    archive = Archive(urls=("http://127.0.0.1:9/a.zip",), bytes=len(CONTENT), sha256=SHA256)
    with pytest.raises(DataError) as caught:
        fetch(tmp_path / "a.zip", archive, policy=QUICK)
    text = str(caught.value)
    for part in (archive.urls[0], f"{tmp_path / 'a.zip'}", str(len(CONTENT)), SHA256):
        assert part in text
    assert "SRMODELS_DATA" in text


def test_a_file_put_there_by_hand_is_used(tmp_path, site):
    (tmp_path / "a.zip").write_bytes(CONTENT)
    fetched(tmp_path, known(site))
    assert site.seen == []


def test_a_wrong_file_put_there_by_hand_is_named_and_kept(tmp_path, site):
    (tmp_path / "a.zip").write_bytes(OTHER)
    with pytest.raises(DataError, match=rf"a\.zip: is not the archive.*{SHA256}"):
        fetch(tmp_path / "a.zip", known(site), policy=QUICK)
    assert (tmp_path / "a.zip").read_bytes() == OTHER


def test_the_first_copy_of_an_unknown_file_holds_from_then_on(tmp_path, site):
    fetched(tmp_path, unknown(site))
    assert trusted_digest(tmp_path / "a.zip", unknown(site)) == SHA256
    (tmp_path / "a.zip").unlink()
    site.files = {"a.zip": OTHER}
    with pytest.raises(DataError, match=rf"another file.*{SHA256}"):
        fetch(tmp_path / "a.zip", unknown(site), policy=QUICK)


def test_a_page_instead_of_an_unknown_archive_is_not_trusted(tmp_path, site):
    site.files = {"a.zip": b"<html>moved</html>"}
    with pytest.raises(DataError, match=r"no \.zip archive"):
        fetch(tmp_path / "a.zip", unknown(site), policy=QUICK)
    assert not list(tmp_path.iterdir())


def test_an_md5_is_checked_where_nothing_better_is_known(tmp_path, site):
    fetched(tmp_path, known(site, sha256="", md5=MD5))
    (tmp_path / "a.zip").write_bytes(OTHER)
    (tmp_path / "a.zip.sha256").unlink()
    with pytest.raises(DataError, match="got MD5"):
        fetch(tmp_path / "a.zip", known(site, bytes=0, sha256="", md5=MD5), policy=QUICK)


def test_a_full_disk_is_named_before_anything_is_fetched(tmp_path, site, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=5))
    with pytest.raises(DataError, match=r"too little room for a\.zip.*got 5 bytes free"):
        fetch(tmp_path / "a.zip", known(site), policy=QUICK)
    assert not (tmp_path / "a.zip.part").exists()


def test_a_killed_download_is_gone_on_with(tmp_path, site):
    hold = threading.Event()
    site.faults = [{"cut": 300_000, "hold": hold}]
    text = (
        "import sys; from pathlib import Path; from srmodels.data.datasets.download import fetch; "
        "from srmodels.data.datasets.definition import Archive; "
        "fetch(Path(sys.argv[1]), Archive(urls=(sys.argv[2],)))"
    )
    words = [sys.executable, "-c", text, str(tmp_path / "a.zip"), f"{site.url}/a.zip"]
    part = tmp_path / "a.zip.part"
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        while not part.exists() or not part.stat().st_size:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    hold.set()
    arrived = part.stat().st_size
    fetched(tmp_path, unknown(site))
    assert site.seen == [None, f"bytes={arrived}-"]


def test_only_one_process_at_a_time_fetches_an_archive(tmp_path):
    order = []

    def second():
        with cache_lock(tmp_path / "a.zip"):
            order.append("second")

    with cache_lock(tmp_path / "a.zip"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("given", ["cache", "{}/repo/cache"])
def test_a_cache_inside_the_repository_is_refused(given, tmp_path, monkeypatch):
    monkeypatch.setenv("SRMODELS_DATA", given.format(tmp_path))
    with pytest.raises(DataError, match="SRMODELS_DATA: is not the absolute path"):
        cache_folder(tmp_path / "repo")


def test_the_cache_is_where_the_variable_says_or_in_the_systems_place(tmp_path, monkeypatch):
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path / "elsewhere"))
    assert cache_folder(tmp_path / "repo") == tmp_path / "elsewhere"
    monkeypatch.delenv("SRMODELS_DATA")
    assert cache_folder(tmp_path / "repo").name == "srmodels"
