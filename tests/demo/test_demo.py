"""The demo without a browser: worker process, sessions, views and path filter."""

import asyncio
import logging
import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srmodels import snapshot
from srmodels.cli import demo
from srmodels.demo import server
from srmodels.demo.jobs import ReadPhoto, safe_stem
from srmodels.demo.path_filter import PathFilterMiddleware, without_paths
from srmodels.demo.session import Sessions
from srmodels.demo.types import Choices, ComputeOptions, DecodedImage, Limits
from srmodels.demo.views import crop, crop_box, reduce_image, reduce_to_match, resized_crop
from srmodels.demo.worker import StoppedError, Worker
from srmodels.errors import ConfigError, PhotoError, WeightsError
from srmodels.images.writers.formats import format_named
from srmodels.images.writers.write import write_picture
from srmodels.inference.tiling.box import Box
from tests.inference.small import small, small_settings

LIMITS = Limits(
    max_pixels=100_000,
    max_samples=2,
    compute=ComputeOptions(device="cpu", tile=64, precision="fp32"),
)


CHOICES = Choices(scale=4, file_format=format_named("png"), strength=1)
SILENT = {"choices": CHOICES, "progress": lambda _: None}


class InProcessWorker:
    """A worker without a process."""

    def run(self, job, *, stop, progress=None, place=None):
        return job.run(progress or (lambda _: None))


@dataclass
class Sleep:
    seconds: float

    def run(self, progress):
        time.sleep(self.seconds)
        return os.getpid()


class Die:
    def run(self, progress):
        os._exit(9)


@pytest.fixture
def weights(tmp_path):
    def save(network, name):
        path = tmp_path / f"{name}.safetensors"
        snapshot.save(path, small(network), name=network, settings=small_settings(network))
        return str(path)

    return save


@pytest.fixture
def find_generators(tmp_path, monkeypatch):
    """The generators by label, without public ones."""
    monkeypatch.setattr(server, "PUBLIC", {})
    return lambda names, root: server.find_generators(
        names,
        root=root,
        worker=InProcessWorker(),
        folder=tmp_path / "served",
        about=lambda name, path: "tests",
    )


@pytest.fixture
def source(tmp_path, photo):
    path = tmp_path / "bird.png"
    write_picture(path, photo)
    return path


@pytest.fixture
def session(tmp_path, source):
    session = Sessions(tmp_path, idle_seconds=60).get("someone")
    session.open_photo(source, InProcessWorker(), LIMITS)
    return session


@pytest.fixture
def worker():
    worker = Worker(5)
    yield worker
    worker.close()


def picture(tmp_path, pixels):
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
    np.save(path, pixels)
    height, width = pixels.shape[:2]
    return DecodedImage(
        file=path, pixels=path, icc=None, height=height, width=width, bits=8, kind="PNG"
    )


def test_without_gradio_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(demo, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'srmodels\[demo\]'"):
        demo.demo()


@pytest.mark.slow
def test_a_job_that_takes_too_long_is_stopped_and_the_next_is_done(worker):
    worker.run(Sleep(0), stop=threading.Event())
    worker._seconds = 0.3
    before = time.monotonic()
    with pytest.raises(StoppedError, match="takes longer than"):
        worker.run(Sleep(60), stop=threading.Event())
    assert time.monotonic() - before < 20
    worker._seconds = 5
    assert worker.run(Sleep(0), stop=threading.Event()) != os.getpid()


@pytest.mark.slow
def test_a_job_can_be_stopped(worker):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(StoppedError, match="was stopped"):
        worker.run(Sleep(60), stop=stop)


@pytest.mark.slow
def test_a_process_that_dies_is_a_sentence(worker):
    with pytest.raises(StoppedError, match="its process died"):
        worker.run(Die(), stop=threading.Event())


@pytest.mark.slow
def test_what_is_wrong_with_a_picture_comes_back_from_the_process(worker, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    job = ReadPhoto(file=tmp_path / "text.png", pixels=tmp_path / "x.npy", max_pixels=99)
    with pytest.raises(PhotoError, match=r"^text\.png: is a text file"):
        worker.run(job, stop=threading.Event())


def test_a_vae_has_samples_and_others_have_none(find_generators, weights):
    generators = find_generators([weights("cvae", "a"), weights("srcnn", "b")], root=Path())
    assert {label: generator.has_samples for label, generator in generators.items()} == {
        "a": True,
        "b": False,
    }


def test_equal_names_get_a_number(find_generators, weights, tmp_path):
    first = weights("srcnn", "a")
    generators = find_generators([first, first], root=tmp_path)
    assert [generator.label for generator in generators.values()] == ["a", "a (2)"]


def test_a_gans_weights_can_be_mixed_with_those_before_it(find_generators, weights, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("pretrained", "generator", "pretrained_best", "generator_best"):
        Path(weights("srresnet", name)).rename(folder / f"{name}.safetensors")
    generators = find_generators([], root=tmp_path)
    mixed = {label: each.pretrained and each.pretrained.name for label, each in generators.items()}
    assert mixed == {
        "generator": "pretrained.safetensors",
        "generator_best": "pretrained_best.safetensors",
        "pretrained": None,
        "pretrained_best": None,
    }


def test_the_demo_goes_on_when_an_experiment_deletes_the_weights(
    find_generators, session, weights, tmp_path
):
    path = Path(weights("srcnn", "a"))
    generators = find_generators([str(path)], root=Path())
    path.unlink()
    session.upscale(
        generators.values(),
        InProcessWorker(),
        LIMITS,
        samples=0,
        choices=CHOICES,
        progress=lambda _: None,
    )
    assert len(session.results) == 1


def test_scale_format_and_strength_are_as_chosen(find_generators, session, weights, tmp_path):
    weights("srresnet", "pretrained")
    generators = find_generators([weights("srresnet", "generator")], root=Path())

    def made(**choices):
        session.upscale(
            generators.values(),
            InProcessWorker(),
            LIMITS,
            samples=0,
            progress=lambda _: None,
            choices=replace(CHOICES, **choices),
        )
        return session.results[0].image.file

    file = made(scale=2.5, file_format=format_named("jpeg"))
    with Image.open(file) as image:
        assert (image.format, image.size) == ("JPEG", (320, 240))
    pictures = [Image.open(made(strength=share)).tobytes() for share in (0.0, 0.5, 1.0)]
    assert len(set(pictures)) == 3


@pytest.mark.slow
def test_jobs_run_in_their_order_and_know_their_place(worker):
    order, places = [], []
    worker.run(Sleep(0), stop=threading.Event())  # the process starts

    def run(name, job, place):
        worker.run(job, stop=threading.Event(), place=place)
        order.append(name)

    threads = []
    for name in ("a", "b", "c"):
        place = places.append if name == "c" else None
        threads.append(threading.Thread(target=run, args=(name, Sleep(0.5), place)))
        threads[-1].start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert order == ["a", "b", "c"]
    assert places[0] == 2
    assert places[-1] == 1


def test_a_waiting_job_can_be_stopped_and_leaves_the_queue(worker):
    stop = threading.Event()
    stop.set()
    worker._queue.append("a job that runs")
    with pytest.raises(StoppedError, match="was stopped"):
        worker.run(Sleep(0), stop=stop)
    assert worker._queue == ["a job that runs"]


def test_weights_that_were_named_must_be_usable(find_generators, tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        find_generators([str(tmp_path / "none.pth")], root=tmp_path)


def test_weights_that_were_found_may_be_unusable(find_generators, weights, tmp_path, caplog):
    (tmp_path / "weights").mkdir()
    Path(weights("srcnn", "a")).rename(tmp_path / "weights" / "a.safetensors")
    (tmp_path / "weights" / "b.safetensors").write_bytes(b"none")
    (tmp_path / "weights" / "discriminator.safetensors").write_bytes(b"none")
    with caplog.at_level(logging.WARNING):
        (label,) = find_generators([], root=tmp_path)
    assert label == "a"
    assert "skipped b.safetensors" in caplog.text
    assert "discriminator" not in caplog.text


def test_a_result_is_the_networks_and_its_window_shows_its_pixels(
    find_generators, session, weights, photo
):
    generators = find_generators([weights("srcnn", "a")], root=Path())
    session.upscale(
        generators.values(),
        InProcessWorker(),
        LIMITS,
        samples=0,
        choices=CHOICES,
        progress=lambda _: None,
    )
    (result,) = session.results
    made = np.asarray(Image.open(result.image.file))
    assert result.image.file.name == "bird-a.png"
    assert made.shape == (384, 512, 3)
    pair, _, samples = session.crops(1.0, 0.0)
    np.testing.assert_array_equal(np.asarray(Image.open(pair[1])), made[:416, -416:])
    assert samples == []


def test_a_vaes_samples_differ_and_are_those_of_the_command(
    find_generators, session, weights, photo, tmp_path
):
    generators = find_generators([weights("cvae", "a")], root=Path())
    session.upscale(
        generators.values(),
        InProcessWorker(),
        LIMITS,
        samples=2,
        choices=CHOICES,
        progress=lambda _: None,
    )
    files = [result.image.file for result in session.results]
    assert [file.name for file in files] == ["bird-a.png", "bird-a-1.png", "bird-a-2.png"]
    assert len({Image.open(file).tobytes() for file in files}) == 3


def test_no_more_samples_than_allowed(session):
    with pytest.raises(ConfigError, match=r"got 3\). Choose 0 to 2"):
        session.upscale([], InProcessWorker(), LIMITS, samples=3, **SILENT)


def test_of_a_picture_that_is_too_large_nothing_is_kept(tmp_path, source):
    session = Sessions(tmp_path, idle_seconds=60).get("someone")
    small_limits = Limits(max_pixels=99, max_samples=0, compute=LIMITS.compute)
    with pytest.raises(PhotoError, match="too many pixels"):
        session.open_photo(source, InProcessWorker(), small_limits)
    assert list(tmp_path.rglob("*.png")) == [source]


def test_two_visitors_may_give_the_same_file(tmp_path, source):
    sessions = Sessions(tmp_path, idle_seconds=60)
    for name in ("one", "another"):
        sessions.get(name).open_photo(source, InProcessWorker(), LIMITS)
        sessions.close(name)


def test_a_file_that_is_gone_is_a_sentence(tmp_path):
    with pytest.raises(PhotoError, match="Choose the file again"):
        Sessions(tmp_path, idle_seconds=60).get("someone").open_photo(
            tmp_path / "none.png", InProcessWorker(), LIMITS
        )


def test_the_end_of_a_session_deletes_its_files_and_stops_its_work(tmp_path, source):
    sessions = Sessions(tmp_path, idle_seconds=60)
    session = sessions.get("someone")
    session.open_photo(source, InProcessWorker(), LIMITS)
    sessions.close("someone")
    assert session.stop.is_set()
    assert list(tmp_path.iterdir()) == [source]


def test_a_session_that_nobody_asks_for_ends(tmp_path):
    sessions = Sessions(tmp_path, idle_seconds=-1)
    folder = sessions.get("someone").folder
    sessions.get("another")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("bird.heic", "bird"),
        ("a 'b'\n<i>.png", "a _b___i_"),
        ("..png", "picture"),
        ("x" * 300 + ".png", "x" * 80),
        ("\u4f60\u597d.png", "\u4f60\u597d"),
    ],
)
def test_names_of_results_are_harmless(name, stem):
    assert safe_stem(Path(name)) == stem


def test_a_window_stays_inside(tmp_path, photo):
    image = picture(tmp_path, photo)
    assert crop_box(image, 0, 9, side=64) == Box(32, 0, 96, 64)
    assert crop_box(image, 0.5, 0.5, side=1000) == Box(0, 0, 96, 128)


def test_the_bicubic_beside_a_window_is_that_part_of_the_whole_bicubic(tmp_path, photo):
    image, result = picture(tmp_path, photo), picture(tmp_path, np.zeros((384, 512, 3), np.uint8))
    box = Box(101, 30, 333, 444)
    part = np.asarray(resized_crop(image, result, box, method=Image.Resampling.BICUBIC)).astype(int)
    all_of_it = Image.fromarray(photo).resize((512, 384), Image.Resampling.BICUBIC)
    assert np.abs(part - np.asarray(all_of_it)[101:333, 30:444]).max() <= 1


def test_views_of_the_whole_have_one_size_and_grey_stays_grey(tmp_path, photo):
    image = picture(tmp_path, photo[..., :1])
    result = picture(tmp_path, np.zeros((384, 512, 1), np.uint8))
    left, right = reduce_to_match(image, result, side=300), reduce_image(result, side=300)
    assert left.size == right.size == (300, 225)
    assert (left.mode, crop(result, Box(0, 0, 2, 2)).mode) == ("L", "L")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/o'b/w x.pth: is odd", "w x.pth: is odd"),
        ("rel/w.pth: no such file", "w.pth: no such file"),
        (r"C:\Users\me\w.pth: is odd (got 3/4)", "w.pth: is odd (got 3/4)"),
        (r"x.png: begins with b'\x89P'", r"x.png: begins with b'\x89P'"),
    ],
)
def test_sentences_name_files_without_their_folders(text, shown):
    assert without_paths(text, [Path("rel/w.pth")]) == shown


def test_the_folder_leaves_under_another_name_and_comes_back_under_its_own():
    seen, sent = [], []

    async def app(scope, receive, send):
        seen.append((scope["path"], (await receive())["body"]))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"13")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"/tmp/own/x"}'})

    async def ask(path, *bodies):
        parts = [
            {"type": "http.request", "body": each, "more_body": at < len(bodies) - 1}
            for at, each in enumerate(bodies)
        ]

        async def receive():
            return parts.pop(0)

        async def send(message):
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        await middleware({"type": "http", "path": path, "headers": headers}, receive, send)

    middleware = PathFilterMiddleware(app, folder=Path("/tmp/own"))
    asyncio.run(ask("/", b""))
    name = sent[1]["body"][2:-4].decode()
    assert "own" not in name
    assert b"content-length" not in dict(sent[0]["headers"])
    asyncio.run(ask(f"/file={name}/x", f'"{name[:5]}'.encode(), f'{name[5:]}/y"'.encode()))
    assert seen[1] == ("/file=/tmp/own/x", b'"/tmp/own/y"')
    asyncio.run(ask("/file=https://example.org/", b""))
    assert (len(seen), sent[-2]["status"]) == (2, 404)
