"""What MLflow shows is what the files say, whatever is changed, forced, killed or shared."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import time

import mlflow
import pytest

from tests.stages.repository import clone, edit, environment, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # alembic's and mlflow's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # mlflow leaves its engine to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

LOSS = "return F.l1_loss(sr, hr)"
ROCKET, COFFEE = "rocket,skimage,rocket.jpg", "coffee,skimage,coffee.png"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A repository in which edsr's smoke preset has run once."""
    folder = clone(tmp_path_factory.mktemp("recording") / "repo")
    edit(folder, "model: srgan", "model: edsr")
    run(folder, "dvc", "repro")
    return folder


def runs(folder, store=None):
    """All runs, the newest first."""
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{store or folder}/mlflow.db")
    experiment = client.get_experiment_by_name("srmodels").experiment_id
    return client.search_runs([experiment], order_by=["attributes.start_time DESC"])


def assert_the_newest_run_is_that_of_the_files(folder, store=None) -> None:
    newest = runs(folder, store)[0]
    shown = newest.data.metrics
    scores = json.loads((folder / "metrics" / "evaluate.json").read_text())["test"]
    for model, row in scores.items():
        (name,) = {key.split("/")[1] for key in shown if key.startswith("test/")}
        for score, value in row.items():
            assert shown[f"test/{name}/{model}/{score}"] == pytest.approx(value)
    for curve in ("pretrain", "pretrain_validation"):
        with (folder / "plots" / f"{curve}.csv").open() as file:
            last = list(csv.DictReader(file))[-1]
        for key in last.keys() - {"step"}:
            assert shown[f"pretrain/{key}"] == pytest.approx(float(last[key]), rel=1e-5)
    weights = (folder / "weights" / "generator.safetensors").read_bytes()
    assert newest.data.tags["dvc.generator_md5"] == hashlib.md5(weights).hexdigest()
    assert newest.info.status == "FINISHED"


def test_after_the_first_training(trained) -> None:
    (only,) = runs(trained)
    assert ", cores: " in only.data.tags["srmodels.machine.pretrain"]
    assert {"srmodels.machine.gan", "srmodels.machine.test"}.isdisjoint(only.data.tags)
    assert_the_newest_run_is_that_of_the_files(trained)


@pytest.mark.long
def test_after_a_changed_loss_that_is_not_committed(trained) -> None:
    path = trained / "srmodels" / "losses" / "pixel.py"
    before = path.read_text()
    assert LOSS in before
    path.write_text(before.replace(LOSS, LOSS + " * 3"))
    run(trained, "dvc", "repro")
    path.write_text(before)
    assert len(runs(trained)) == 2
    assert_the_newest_run_is_that_of_the_files(trained)


@pytest.mark.long
def test_after_other_photographs(trained) -> None:
    path = trained / "data" / "auto" / "smoke.csv"
    before = path.read_text()
    assert ROCKET in before
    count = len(runs(trained))
    path.write_text(before.replace(ROCKET, COFFEE))
    run(trained, "dvc", "repro")
    path.write_text(before)
    assert len(runs(trained)) == count + 1
    assert_the_newest_run_is_that_of_the_files(trained)


@pytest.mark.long
def test_after_an_experiment_that_is_forced_under_the_same_name(trained) -> None:
    run(trained, "git", "add", "-A")
    run(trained, "git", "commit", "-qm", "results")
    for seed in ("1", "2"):
        run(trained, "dvc", "exp", "run", "-f", "-n", "same", "-S", f"seed={seed}")
        assert_the_newest_run_is_that_of_the_files(trained)
    found = [each for each in runs(trained) if each.data.tags.get("dvc.exp_name") == "same"]
    assert {each.data.params["seed"] for each in found} == {"1", "2"}
    words = ("python", "-m", "srmodels.cli.main", "register", "same", "edsr")
    run(trained, *words)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{trained}/mlflow.db")
    weights = (trained / "weights" / "generator.safetensors").read_bytes()
    version = client.get_model_version("edsr", "1")
    assert version.tags["dvc.generator_md5"] == hashlib.md5(weights).hexdigest()


def test_after_a_kill_and_a_resume(trained) -> None:
    edit(trained, "checkpoint_steps: 0", "checkpoint_steps: 1")
    edit(trained, "\nseed: ", "\nseed: 5")  # 51, 52: none of the others
    process = subprocess.Popen(
        ["dvc", "repro"], cwd=trained, env=environment(forks=False), start_new_session=True
    )
    deadline = time.monotonic() + 600
    while not list((trained / ".resume").glob("pretrain-*/previous.pt")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert "resumed at step" in run(trained, "dvc", "repro")
    assert_the_newest_run_is_that_of_the_files(trained)
    assert "RUNNING" not in {each.info.status for each in runs(trained)}


@pytest.mark.long
def test_of_two_people_on_one_store_each_has_a_run_of_their_own(trained, tmp_path) -> None:
    variables = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    people = [tmp_path / "one", tmp_path / "two"]
    for number, person in enumerate(people, 1):
        run(trained, "git", "clone", "-q", ".", str(person))
        run(person, "dvc", "repro", "--force", variables=variables)
        assert len(runs(person, tmp_path)) == number
        assert_the_newest_run_is_that_of_the_files(person, tmp_path)
    assert (tmp_path / "mlartifacts").is_dir()
    assert not (people[0] / "mlruns").exists()
