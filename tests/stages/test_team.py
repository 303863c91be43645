"""Two people, one folder for DVC: what one has trained, the other does not train again."""

import pytest

from tests.stages.repository import copy_of, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pushed(smoke, tmp_path_factory):
    """A repository with a commit and an experiment, both pushed, and a second clone of it."""
    place = tmp_path_factory.mktemp("team")
    mine, hub, theirs = place / "mine", place / "hub.git", place / "theirs"
    copy_of(smoke, mine)
    run(mine, "dvc", "remote", "add", "--default", "team", str(place / "shared"))
    run(mine, "git", "add", "-A")
    run(mine, "git", "commit", "-qm", "srgan")
    run(mine, "git", "clone", "-q", "--bare", str(mine), str(hub))
    run(mine, "git", "remote", "add", "origin", str(hub))
    run(mine, "dvc", "push")
    run(mine, "dvc", "exp", "run", "-S", "model=srcnn", "-n", "small")
    run(mine, "dvc", "exp", "push", "origin", "small")
    run(place, "git", "clone", "-q", str(hub), str(theirs))
    return mine, theirs


def test_a_second_clone_pulls_the_results_and_trains_nothing(pushed) -> None:
    _, theirs = pushed
    run(theirs, "dvc", "pull")
    assert (theirs / "weights" / "generator.safetensors").exists()
    text = run(theirs, "dvc", "repro")
    assert "Running stage" not in text
    assert "up to date" in text


def test_a_second_clone_takes_over_an_experiment(pushed) -> None:
    mine, theirs = pushed
    run(theirs, "dvc", "exp", "pull", "origin", "small")
    run(theirs, "dvc", "exp", "apply", "small")
    pair = [each / "weights" / "generator.safetensors" for each in (mine, theirs)]
    assert pair[0].read_bytes() == pair[1].read_bytes()
    assert "Running stage" not in run(theirs, "dvc", "repro")
