"""docs/EXPERIMENTS.md as a test: the commands that people run, in the order of that page."""

import re
import subprocess
import time

import mlflow
import pytest

from tests.stages.repository import copy_of, environment, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # alembic's and mlflow's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # mlflow leaves its engine to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SRMODELS = ("python", "-m", "srmodels.cli.main")
QUEUE = ["dvc", "queue"]
WEIGHT = "models.srgan.smoke.adversarial.objective.weights.adversarial"


@pytest.fixture(scope="module")
def begun(smoke, tmp_path_factory):
    """A repository whose results are committed, for experiments to be compared with."""
    folder = copy_of(smoke, tmp_path_factory.mktemp("experiments") / "repo")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "baseline")
    yield folder
    subprocess.run([*QUEUE, "stop", "--kill"], cwd=folder, env=environment(), check=False)


@pytest.fixture
def clean(begun):
    """The same; what a test leaves in the workspace is taken back."""
    yield begun
    run(begun, "git", "checkout", "-q", ".")
    run(begun, "dvc", "checkout", "-q")


def tracked(folder, name):
    """The steps at which the one run of an experiment has each of its metrics."""
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("srmodels").experiment_id
    (only,) = client.search_runs([experiment], f"tags.`dvc.exp_name` = '{name}'")
    assert only.info.status == "FINISHED"
    return {
        key: [point.step for point in client.get_metric_history(only.info.run_id, key)]
        for key in only.data.metrics
    }


def test_another_recipe_is_run_compared_applied_branched_and_removed(clean) -> None:
    # another seed than the queue's srcnn has, which else came from the cache
    words = ("dvc", "exp", "run", "-S", "model=srcnn", "-S", "seed=2", "-n", "small")
    text = run(clean, *words)
    assert "Running stage 'pretrain'" in text
    assert "Running stage 'patches'" not in text
    assert "Running stage 'photos'" not in text
    assert "no adversarial phase" in text
    pair = [clean / "weights" / f"{name}.safetensors" for name in ("pretrained", "generator")]
    assert pair[0].read_bytes() == pair[1].read_bytes()
    assert "srcnn" in run(clean, "dvc", "params", "diff")
    assert "test.generator.psnr_y" in run(clean, "dvc", "metrics", "diff")
    assert "index.html" in run(clean, "dvc", "plots", "diff")
    assert "pretrain/pixel" in tracked(clean, "small")
    run(clean, "git", "checkout", "-q", ".")
    run(clean, "dvc", "checkout", "-q")
    assert "small" in run(clean, "dvc", "exp", "show", "--md", "--only-changed")
    assert "srcnn" in run(clean, "dvc", "params", "diff", "HEAD", "small")
    run(clean, "dvc", "exp", "apply", "small")
    assert "\nmodel: srcnn" in (clean / "params.yaml").read_text()
    assert "up to date" in run(clean, "dvc", "repro")
    run(clean, "dvc", "exp", "branch", "small", "small-srcnn")
    assert "small-srcnn" in run(clean, "git", "branch")
    run(clean, "dvc", "exp", "remove", "small")
    assert "small" not in run(clean, "dvc", "exp", "list")


def test_a_weight_reruns_only_the_gan_and_its_run_has_the_curves_from_the_cache(clean) -> None:
    text = run(clean, "dvc", "exp", "run", "-S", f"{WEIGHT}=0.01", "-n", "heavier")
    assert "Stage 'pretrain' didn't change, skipping" in text
    assert "Running stage 'gan'" in text
    steps = tracked(clean, "heavier")
    assert steps["pretrain/pixel"] == [10, 20]
    assert steps["gan/generator/adversarial"] == [5, 10]


def test_an_experiment_that_never_ran_leads_to_the_run_that_made_its_weights(clean) -> None:
    for name in ("first", "again"):
        text = run(clean, "dvc", "exp", "run", "-S", "model=srcnn", "-S", "seed=2", "-n", name)
        run(clean, "git", "checkout", "-q", ".")
        run(clean, "dvc", "checkout", "-q")
    assert "Running stage" not in text
    found = run(clean, *SRMODELS, "runs", "first", "again")
    first, again, *_ = (line.split()[-1] for line in found.splitlines() if "/runs/" in line)
    assert first == again


def finish_queue(folder, names) -> None:
    """Two workers, which inherit this environment, work the queue off."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}  # workers keep pipes open
    words = [*QUEUE, "start", "-j", "2"]
    subprocess.run(
        words, cwd=folder, env=environment(), check=True, start_new_session=True, **quiet
    )
    deadline = time.monotonic() + 1500
    refs = ["git", "for-each-ref", "--format=%(refname:lstrip=-1)", "refs/exps"]  # as `exp list`,
    while time.monotonic() < deadline and not names <= {*run(folder, *refs).split()}:  # but fast
        time.sleep(0.5)
    while time.monotonic() < deadline:
        status = subprocess.run(
            [*QUEUE, "status"],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        # it fails now and then, when it reads what a worker has half written
        if status.returncode == 0 and not {"Queued", "Running"} & set(status.stdout.split()):
            return
        time.sleep(1)
    raise AssertionError(run(folder, *QUEUE, "status"))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_workers_run_a_queue_into_one_store(clean) -> None:
    text = run(clean, "dvc", "exp", "run", "--queue", "-S", "model=srcnn,srresnet,edsr")
    names = {line.split("'")[1] for line in text.splitlines() if "Queued experiment" in line}
    assert len(names) == 3
    finish_queue(clean, names)
    assert names <= set(run(clean, "dvc", "exp", "list", "--name-only").split())
    for name in names:
        assert tracked(clean, name)["pretrain/validation_psnr_y"] == [10, 20]


def test_a_temporary_copy_leaves_the_workspace_alone_and_its_run_here(clean) -> None:
    run(clean, "dvc", "exp", "run", "--temp", "-S", "evaluate.tile=64", "-n", "elsewhere")
    assert not run(clean, "git", "status", "--porcelain", "--untracked-files=no")
    names = tracked(clean, "elsewhere")
    assert any(re.fullmatch(r"test/smoke-\w+/generator/psnr_y", name) for name in names)
