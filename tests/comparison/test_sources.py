"""What the names of experiments, revisions and files mean."""

import pytest

from srmodels.comparison.experiment import read_experiment
from srmodels.comparison.sources import METRICS, all_sources, find_source
from srmodels.errors import ProtocolError
from tests.comparison.runs import BASELINE, head, repository, write_run
from tests.stages.repository import run


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return repository(tmp_path_factory.mktemp("project"), edsr=[31.0] * 5, srcnn=[29.0] * 5)


def mean(project, name):
    return read_experiment(find_source(name, root=project)).means("test", "generator")["psnr_y"]


def test_an_experiment_a_revision_a_branch_and_the_workspace_are_found(project):
    names = ["edsr-run", "HEAD~1", "main", head(project)[:8], "workspace"]
    assert [mean(project, name) for name in names] == [31, 31, 29, 29, 30]


def test_the_workspace_comes_before_the_experiments(project):
    names = [source.name for source in all_sources(project)]
    assert (names[0], sorted(names[1:])) == ("workspace", ["edsr-run", "srcnn-run"])


def test_a_workspace_with_an_experiments_scores_has_that_experiments_name(tmp_path):
    folder = repository(tmp_path, edsr=[31.0] * 5, srcnn=[29.0] * 5)
    write_run(folder, [31.0] * 5, recipe="edsr")
    assert [source.name for source in all_sources(folder)] == ["edsr-run", "srcnn-run"]


def test_a_last_commit_of_other_scores_is_listed(tmp_path):
    folder = repository(tmp_path, edsr=[31.0] * 5)
    write_run(folder, [28.0] * 5)
    run(folder, "git", "commit", "-qam", "later")
    write_run(folder, [30.0] * 5)
    assert [source.name for source in all_sources(folder)] == ["workspace", "main", "edsr-run"]


def test_a_project_may_be_a_folder_of_a_repository(tmp_path):
    repository(tmp_path)
    write_run(tmp_path / "inner", [27.0] * 5)
    run(tmp_path, "git", "add", "-A")
    run(tmp_path, "git", "commit", "-qm", "inner")
    assert mean(tmp_path / "inner", "HEAD") == 27


def test_without_a_repository_there_is_the_workspace(tmp_path):
    assert [source.name for source in all_sources(tmp_path)] == ["workspace"]


def test_an_unknown_name_gets_the_nearest_guess(project):
    with pytest.raises(ProtocolError, match=r"'edsr-rum'.*did you mean edsr-run\?"):
        find_source("edsr-rum", root=project)


def test_of_many_names_the_nearest_are_offered_and_their_number_told(tmp_path):
    repository(tmp_path, edsr=[31.0] * 5)
    for number in range(20):
        run(tmp_path, "git", "branch", f"idea-{number:02}")
    with pytest.raises(ProtocolError, match=r"nearest of 2\d names are .*idea-07, ") as caught:
        find_source("idea-7", root=tmp_path)
    assert "one of" not in str(caught.value)
    assert str(caught.value).count(", ") == 7


def test_a_name_that_looks_like_an_option_is_no_option_of_git(project):
    with pytest.raises(ProtocolError, match="unknown name"):
        find_source("--exec=true", root=project)


def test_a_name_on_two_baselines_is_refused_with_the_hashes(project, tmp_path):
    clone = tmp_path / "clone"
    run(tmp_path, "git", "clone", "-q", str(project), str(clone))
    for baseline in (BASELINE, BASELINE[::-1]):
        ref = f"refs/exps/{baseline[:2]}/{baseline[2:]}/twice"
        run(clone, "git", "update-ref", ref, "HEAD")
    with pytest.raises(
        ProtocolError, match=f"2 experiments have this name. Use {head(clone)[:10]}"
    ):
        find_source("twice", root=clone)
    assert [source.name for source in all_sources(clone)] == [head(clone)[:10]] * 2


def test_a_metrics_file_of_a_project_brings_its_neighbours(project, tmp_path):
    experiment = read_experiment(find_source(str(project / METRICS), root=tmp_path))
    assert len(experiment.scores("test", "generator")) == 5


def test_a_metrics_file_elsewhere_has_means_only(project, tmp_path):
    (tmp_path / "alone.json").write_bytes((project / METRICS).read_bytes())
    experiment = read_experiment(find_source(str(tmp_path / "alone.json"), root=tmp_path))
    assert experiment.means("test", "generator") == {"psnr_y": 30, "sharpness": 0.5}
    assert experiment.scores("test", "generator").empty


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ProtocolError, match=r"none.csv: no such file. Name"):
        find_source(str(tmp_path / "none.csv"), root=tmp_path)
