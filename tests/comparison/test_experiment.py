"""What is read of an experiment, and what is no experiment's file."""

import pytest

from srmodels.comparison.experiment import read_experiment
from srmodels.comparison.sources import METRICS, PER_IMAGE, find_source
from srmodels.errors import ProtocolError
from tests.comparison.runs import write_run


@pytest.fixture
def project(tmp_path):
    return write_run(tmp_path, [30.0, 31.0])


def read(project, model=None):
    return read_experiment(find_source("workspace", root=project), model=model)


def test_the_final_generator_is_compared_unless_another_row_is_asked_for(project):
    assert (read(project).row, read(project).label) == ("generator", "workspace (srgan)")
    assert read(project, "pretrained").means("test", "pretrained")["psnr_y"] == 29.5


def test_a_row_that_is_not_there_is_refused_with_those_that_are(project):
    with pytest.raises(ProtocolError, match=r"model: .*'pretraind'.*mean pretrained\?"):
        read(project, "pretraind")


def test_recipe_and_preset_are_those_that_ran(project):
    (project / "params.yaml").write_text("model: edsr\n")
    assert (read(project).recipe, read(project).preset) == ("srgan", "smoke")


def test_a_revision_without_metrics_is_one_line(tmp_path):
    with pytest.raises(ProtocolError, match=r"workspace: has no metrics/evaluate\.json\. "):
        read(tmp_path)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (METRICS, "{", "evaluate.json: is no JSON"),
        (METRICS, '{"patches": {"count": 3}}', "evaluate.json: holds no scores"),
        (PER_IMAGE, "step,loss\n1,2\n", "not a table per image .got no column set"),
        (PER_IMAGE, "", "not a table per image"),
        (PER_IMAGE, "set,image,model,psnr_y\nt,a,bicubic,x\n", "words in the column psnr_y"),
        (
            PER_IMAGE,
            "set,image,model,p\n" + "t,a,bicubic,1\n" * 2,
            "two lines for one image .got t, a, bicubic",
        ),
    ],
)
def test_a_file_that_is_no_result_is_one_line(project, path, text, message):
    (project / path).write_text(text)
    with pytest.raises(ProtocolError, match=message):
        read(project)


CUT = """schema: '2.0'
stages:
  {}:
    {}:
    - path: data/patches
      hash: md5
      md5: {}.dir
"""
PHOTOS = """  photos:
    params:
      params.yaml:
        data:
          photos: ../photos40
"""


@pytest.mark.parametrize(("scored", "label"), [("1" * 32, "photos40 (2)"), ("2" * 32, "test (2)")])
def test_scores_are_not_those_of_photographs_that_were_cut_later(project, scored, label):
    cut = CUT.format("patches", "outs", "1" * 32)
    evaluated = CUT.format("evaluate", "deps", scored).partition("stages:\n")[2]
    (project / "dvc.lock").write_text(cut + PHOTOS + evaluated)
    assert read(project).set_label("test") == label


@pytest.mark.parametrize(("cut", "label"), [("1" * 32, "photos40 (2)"), ("2" * 32, "test (2)")])
def test_scores_are_not_those_of_photographs_that_were_listed_later(project, cut, label):
    listed = f"    outs:\n    - path: photos\n      hash: md5\n      md5: {'1' * 32}.dir\n"
    patches = CUT.format("patches", "deps", cut).replace("data/patches", "data/photos")
    (project / "dvc.lock").write_text(patches + PHOTOS + listed)
    assert read(project).set_label("test") == label
