"""Results that are in DVC's cache alone."""

import hashlib
import json

import pytest

from srmodels.comparison import run_cache, sources
from srmodels.comparison.experiment import read_experiment
from srmodels.comparison.selection import all_experiments
from tests.comparison.runs import repository, write_run

PARAMS = """params:
  params.yaml:
    models.edsr.smoke.generator:
      network: edsr
"""


def keep(cache, content):
    """Stores bytes as DVC does; returns their MD5."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    path = cache / "files/md5" / digest[:2] / digest[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest


def note(cache, stage, deps, outs):
    """Writes an entry of the cache of runs."""
    lines = [f"cmd: python -m stages.{stage}"]
    for kind, files in (("deps", deps), ("outs", outs)):
        lines += [f"{kind}:"] if files else []
        for path, digest in files.items():
            lines += [f"- path: {path}", "  hash: md5", f"  md5: {digest}"]
    text = "\n".join(lines) + "\n" + PARAMS
    key = hashlib.sha256(text.encode()).hexdigest()
    path = cache / "runs" / key[:2] / key / hashlib.sha256(key.encode()).hexdigest()
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A workspace of 30 dB, and a run of 33 dB of which the workspace shows nothing."""
    folder, cache = repository(tmp_path / "project", srgan=[29.0] * 5), tmp_path / "cache"
    gone = write_run(tmp_path / "gone", [33.0] * 5)
    files = {
        name: keep(cache, (gone / name).read_bytes())
        for name in (sources.METRICS, sources.PER_IMAGE)
    }
    pretrained, generator = keep(cache, b"pretrained"), keep(cache, b"generator")
    note(cache, "pretrain", {}, {"weights/pretrained.safetensors": pretrained})
    trained = {"weights/generator.safetensors": generator}
    note(cache, "gan", {"weights/pretrained.safetensors": pretrained}, trained)
    note(cache, "evaluate", trained, files)
    monkeypatch.setattr(run_cache, "cache_folder", lambda root: cache)
    return folder


def test_a_run_that_only_the_cache_has_is_listed_with_its_weights(project):
    *_, cached = sources.all_sources(project)
    experiment = read_experiment(cached)
    assert experiment.means("test", "generator")["psnr_y"] == 33
    assert (experiment.recipe, experiment.preset) == ("edsr", "smoke")
    assert cached.read("weights/generator.safetensors") == b"generator"
    assert cached.read("weights/pretrained.safetensors") == b"pretrained"
    assert experiment.weights == hashlib.md5(b"generator", usedforsecurity=False).hexdigest()


def test_its_name_is_found_again(project):
    *_, cached = sources.all_sources(project)
    assert len(cached.name) == 7
    found = sources.find_source(cached.name, root=project)
    assert found.read(sources.METRICS) == cached.read(sources.METRICS)


def test_a_run_that_the_workspace_shows_is_listed_once(project):
    write_run(project, [33.0] * 5)
    (group,), _ = all_experiments(project)
    assert [experiment.name for experiment in group] == ["workspace", "srgan-run"]


def test_a_file_that_the_cache_has_lost_is_missing(project, tmp_path):
    for path in (tmp_path / "cache/files").rglob("*"):
        if path.is_file() and json.dumps("test") in path.read_text():
            path.unlink()
    *_, cached = sources.all_sources(project)
    assert cached.read(sources.METRICS) is None
