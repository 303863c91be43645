"""The demo as people use it: a browser, a photograph, a result."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import srmodels
from srmodels import snapshot
from srmodels.images.writers.write import write_picture
from tests.inference.small import small, small_settings

sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("gradio")
pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]  # as containers need them


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "tiny.safetensors"
    snapshot.save(path, small("srresnet"), name="srresnet", settings=small_settings("srresnet"))
    return path


@pytest.fixture(scope="module")
def server(weights, tmp_path_factory):
    """The running demo: its address, its process, and the folder for temporary files."""
    folder = tmp_path_factory.mktemp("temporary")
    words = ["demo", "--weights", weights, "--precision", "fp32", "--max-pixels", 100_000]
    process = subprocess.Popen(
        [sys.executable, "-m", "srmodels.cli.main", *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    address = re.match(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
    assert address, "it says where it is"
    yield address[0], process, folder
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(server, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(server[0])
    page.wait_for_selector("#upscale")
    yield page
    assert all(url.startswith((server[0], "data:", "blob:")) for url in requested)
    page.close()


def give(page, path):
    page.set_input_files("input[type=file]", path)
    page.wait_for_selector("#preview img, .toast-body", timeout=120_000)


def test_what_is_downloaded_is_what_the_api_makes(page, weights, tmp_path, photo):
    write_picture(tmp_path / "bird.png", photo)
    give(page, tmp_path / "bird.png")
    page.click("#upscale")
    page.wait_for_selector("#crop img", timeout=120_000)
    with page.expect_download() as download:
        page.click("a[download='bird-tiny.png']")
    made = np.asarray(Image.open(download.value.path()))
    np.testing.assert_array_equal(made, srmodels.load(weights, device="cpu")(photo))
    sizes = "all => all.map(img => [img.naturalWidth, img.getBoundingClientRect().width])"
    shown = page.eval_on_selector_all("#crop img, #bicubic img", sizes)
    assert shown == [[416, 416]] * 3
    assert str(weights.parent) not in page.content()


def test_hostile_files_are_sentences_and_the_server_lives(page, tmp_path, photo):
    (tmp_path / "text.png").write_text("no picture")
    give(page, tmp_path / "text.png")
    assert "text.png: is a text file" in page.inner_text(".toast-body")
    page.reload()
    page.wait_for_selector("#upscale")
    Image.fromarray(photo).save(tmp_path / "..\n'\"<img src=x onerror=alert(1)>.png")
    give(page, next(tmp_path.glob("..*")))
    assert "128 x 96 pixels" in page.inner_text("#about")


def test_addresses_lead_to_no_file_of_the_server(page, server, weights):
    for path in (str(weights), "/etc/hostname", str(Path(srmodels.__file__))):
        answer = page.request.get(f"{server[0]}gradio_api/file={path}")
        assert answer.status in (403, 404)


def test_the_end_of_the_server_leaves_no_file(server):
    _, process, folder = server
    assert list(folder.glob("srmodels-demo-*"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert not list(folder.glob("srmodels-demo-*"))
