"""The times of trainings, as runs hold them."""

import pytest

from srmodels.engine.tracking.mlflow_run import RunFacts
from srmodels.engine.tracking.mlflow_tracker import Tracker
from srmodels.errors import TrainingError
from srmodels.runs.times import TrackedRuns, cost, machine_of, run_of, training_of

PARAMS = {
    "model": "srgan",
    "seed": "0",
    "recipe.generator.network": "srresnet",
    "recipe.pretrain.training.steps": "100",
    "recipe.pretrain.training.batch_size": "8",
    "recipe.pretrain.training.log_every": "50",
    "recipe.adversarial.training.steps": "20",
    "recipe.adversarial.training.log_every": "10",
}
PIXEL_ONLY = {key: value for key, value in PARAMS.items() if "adversarial" not in key}
SPEED = "pretrain/images_per_second"


class FakeRuns:
    """Runs in memory, the newest first: parameters, points by metric, and perhaps tags."""

    def __init__(self, *runs):
        self.runs = runs

    def settings(self):
        return [(str(number), values) for number, (values, *_) in enumerate(self.runs)]

    def latest(self, run):
        return {name: points[-1][1] for name, points in self.runs[int(run)][1].items() if points}

    def points(self, run, metric):
        return self.runs[int(run)][1].get(metric, [])

    def tags(self, run):
        return next(iter(self.runs[int(run)][2:]), {})


def test_each_points_speed_holds_since_the_point_before():
    spent = cost([(50, 40.0), (100, 10.0)], batch_size=6)  # 7.5 s and 30 s for 300 images each
    assert spent == {"minutes": round(37.5 / 60, 2), "images_per_second": 16.0}


def test_a_training_from_the_cache_has_the_times_of_the_run_that_did_it():
    trained = (PIXEL_ONLY | {"model": "srresnet"}, {SPEED: [(50, 20.0), (100, 20.0)]})
    runs = FakeRuns((PARAMS, {}), trained)
    spent = training_of(runs, PARAMS, "pretrain", 100)
    assert spent == {"minutes": round(800 / 20 / 60, 2), "images_per_second": 20.0}


def test_the_machine_is_that_of_the_run_that_trained():
    scored = (PARAMS, {}, {"srmodels.machine.pretrain": "of an evaluation from the cache"})
    trained = (PIXEL_ONLY, {SPEED: [(100, 20.0)]}, {"srmodels.machine.pretrain": "a GPU"})
    assert machine_of(FakeRuns(scored, trained), PARAMS, "pretrain", 100) == "a GPU"
    assert machine_of(FakeRuns(scored, trained[:2]), PARAMS, "pretrain", 100) is None
    assert machine_of(FakeRuns(scored), PARAMS, "pretrain", 100) is None


@pytest.mark.parametrize("changed", [{"seed": "1"}, {"recipe.pretrain.training.batch_size": "4"}])
def test_another_training_lends_no_times(changed):
    runs = FakeRuns((PARAMS | changed, {SPEED: [(100, 20.0)]}))
    assert training_of(runs, PARAMS, "pretrain", 100) is None


def test_an_adversarial_training_rests_on_all_of_the_recipe():
    points = {"gan/images_per_second": [(10, 5.0), (20, 5.0)]}
    changed = {"recipe.pretrain.training.steps": "99"}
    assert training_of(FakeRuns((PARAMS | changed, points)), PARAMS, "gan", 20) is None
    assert training_of(FakeRuns((PARAMS, points)), PARAMS, "gan", 20)["images_per_second"] == 5


def test_a_training_that_did_not_end_is_passed_over():
    half, whole = {SPEED: [(50, 1.0)]}, {SPEED: [(50, 9.0), (100, 9.0)]}
    spent = training_of(FakeRuns((PARAMS, half), (PARAMS, whole)), PARAMS, "pretrain", 100)
    assert spent["images_per_second"] == 9


def test_the_run_of_a_score_is_the_recipes_own():
    runs = FakeRuns(
        (PARAMS | {"model": "srcnn"}, {"score": [(0, 30.5)]}),
        (PARAMS | {"seed": "1"}, {"score": [(0, 30.4)]}),
        (PARAMS, {"score": [(0, 30.5)]}),
    )
    assert run_of(runs, "srgan", score="score", value=30.5) == PARAMS
    with pytest.raises(TrainingError, match=r"no run of srgan .*got 31.*-S model=srgan"):
        run_of(runs, "srgan", score="score", value=31.0)


def test_a_repository_without_a_store_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(TrainingError, match=r"mlflow\.db: no such file"):
        TrackedRuns(tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # alembic's and mlflow's own
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # mlflow leaves its engine to the gc
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_a_tracker_logged_is_found(tmp_path, monkeypatch):
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    settings = {"model": "srgan", "recipe": {"pretrain": {"training": {"batch_size": 4}}}}
    facts = RunFacts(baseline="a" * 40, inputs={}, settings=settings)
    with Tracker("pretrain", root=tmp_path, facts=facts, machine=lambda: "a GPU") as watcher:
        watcher.begin(0, [])
        for step in (50, 100):
            watcher.log(step, {"images_per_second": 20.0, "pixel": 0.1})
    runs = TrackedRuns(tmp_path)
    wanted = run_of(runs, "srgan", score="pretrain/pixel", value=0.1)
    spent = training_of(runs, wanted, "pretrain", 100)
    assert spent == {"minutes": round(400 / 20 / 60, 2), "images_per_second": 20.0}
    assert machine_of(runs, wanted, "pretrain", 100) == "a GPU"
