"""What is shown of the models, and what is said where one cannot be shown."""

import numpy as np
import pytest

from srmodels.comparison.experiment import read_experiment
from srmodels.comparison.gallery import build_gallery
from srmodels.comparison.sample_images import ImageOptions, upscale_images
from srmodels.comparison.sources import find_source
from srmodels.errors import DataError, PhotoError, WeightsError
from srmodels.images.writers.write import write_picture
from srmodels.resize.tensors import enlarge_image
from tests.comparison.runs import repository, write_run
from tests.stages.repository import run


class Brighter:
    """A generator that adds light to bicubic in one place."""

    def __init__(self, light=0, scale=4):
        self.light, self.scale = light, scale

    def __call__(self, lr):
        sr = enlarge_image(lr, self.scale) // 2
        sr[16:48, 32:64] += np.uint8(self.light)
        return sr


@pytest.fixture
def options(tmp_path, photo):
    write_picture(tmp_path / "pictures" / "a.png", photo)
    write_picture(tmp_path / "pictures" / "b.png", np.tile(photo, (9, 2, 1)))
    return ImageOptions(folder=tmp_path / "pictures", pictures=2, crops=2, size=32)


def test_every_model_enlarges_every_picture_after_bicubic(options):
    images, speeds = upscale_images([Brighter(), Brighter(60)], options)
    assert [(image.name, len(image.sr)) for image in images] == [("a", 3), ("b", 3)]
    assert images[0].corners[0] == (16, 32)
    assert len(speeds) == 2


def test_of_a_large_picture_the_middle_is_shown(options, photo):
    images, _ = upscale_images([Brighter()], options)
    assert images[1].hr.shape == (640, 256, 3)
    np.testing.assert_array_equal(images[1].hr, np.tile(photo, (9, 2, 1))[112:752])


def test_the_speed_counts_the_pixels_of_sr(options, monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))
    _, speeds = upscale_images([Brighter()], options)
    assert speeds == [(96 * 128 + 640 * 256) / 1e6 / 2]


def test_a_folder_without_pictures_and_a_small_picture_are_one_line(options, tmp_path):
    empty = ImageOptions(folder=tmp_path / "none", pictures=2, crops=1)
    with pytest.raises(DataError, match="no test picture there"):
        upscale_images([Brighter()], empty)
    small = ImageOptions(folder=options.folder, pictures=1, crops=1, size=100)
    with pytest.raises(PhotoError, match=r"a: too small to show \(got 128 x 96 pixels\)"):
        upscale_images([Brighter()], small)


@pytest.fixture
def experiments(tmp_path):
    made = []
    for name in ("one", "two"):
        folder = write_run(tmp_path / name, [30.0])
        (folder / "weights").mkdir()
        (folder / "weights" / "generator.safetensors").write_text(name)
        path = str(folder / "metrics" / "evaluate.json")
        made.append(read_experiment(find_source(path, root=tmp_path)))
    return made


def test_weights_on_disk_are_opened(experiments, options, tmp_path):
    opened = []
    shown = build_gallery(
        experiments,
        options,
        load=lambda path: opened.append(path.read_text()) or Brighter(),
        root=tmp_path,
    )
    assert (opened, shown.shown, shown.reasons) == (["one", "two"], [0, 1], [])


def test_a_model_that_cannot_be_opened_is_left_out_with_its_reason(experiments, options, tmp_path):
    def load(path):
        if path.read_text() == "one":
            raise WeightsError("damaged")
        return Brighter()

    shown = build_gallery(experiments, options, load=load, root=tmp_path)
    assert shown.shown == [1]
    assert shown.reasons[0].endswith("(srgan): damaged")


def test_a_model_of_another_scale_is_left_out_with_its_reason(experiments, options, tmp_path):
    scales = {"one": 4, "two": 2}
    shown = build_gallery(
        experiments,
        options,
        load=lambda path: Brighter(scale=scales[path.read_text()]),
        root=tmp_path,
    )
    assert shown.shown == [0]
    assert shown.reasons[0].endswith("its scale is 2, others' 4")


def test_without_pictures_scores_can_still_be_reported(experiments, options, tmp_path):
    missing = ImageOptions(folder=tmp_path / "none", pictures=2, crops=1)
    shown = build_gallery(experiments, missing, load=lambda path: Brighter(), root=tmp_path)
    assert (shown.images, shown.shown, shown.speeds) == ([], [], {})
    assert "no test picture" in shown.reasons[0]


@pytest.mark.slow
def test_weights_that_dvc_has_nowhere_are_left_out(options, tmp_path):
    project = repository(tmp_path / "project", edsr=[31.0])
    experiment = read_experiment(find_source("edsr-run", root=project))
    shown = build_gallery([experiment], options, load=lambda path: Brighter(), root=project)
    assert "weights/generator.safetensors cannot be fetched (" in shown.reasons[0]


@pytest.mark.slow
def test_weights_of_a_revision_come_from_dvcs_cache(options, tmp_path):
    project = repository(tmp_path / "project", edsr=[31.0])
    (project / "weights").mkdir()
    (project / "weights" / "generator.safetensors").write_text("kept")
    run(project, "dvc", "init", "-q")
    run(project, "dvc", "add", "-q", "weights/generator.safetensors")
    run(project, "git", "add", "-A")
    run(project, "git", "commit", "-qm", "weights")
    (project / "weights" / "generator.safetensors").unlink()
    read = []
    experiment = read_experiment(find_source("HEAD", root=project))
    build_gallery(
        [experiment],
        options,
        load=lambda path: read.append(path.read_text()) or Brighter(),
        root=project,
    )
    assert read == ["kept"]
