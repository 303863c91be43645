"""A run holds one training: its points are those of the files, whatever is run again."""

import logging
import multiprocessing
import shutil
import signal
import sqlite3

import mlflow
import numpy as np
import pytest

from srmodels.engine.tracking.curves import Curve
from srmodels.engine.tracking.mlflow_run import DatasetFacts, RunFacts, run_key
from srmodels.engine.tracking.mlflow_tracker import Tracker
from srmodels.errors import TrainingError
from srmodels.runs.experiments import newest

# opening a fresh SQLite store migrates its schema, which takes seconds
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # alembic's and mlflow's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # mlflow leaves its engine to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEED = {"settings": {"seed": 0}, "code": "c0de", "data": "da7a", "weights": ""}


@pytest.fixture(autouse=True)
def _no_experiment(monkeypatch) -> None:
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """An empty database with MLflow's schema."""
    path = tmp_path_factory.mktemp("migrated") / "mlflow.db"
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def root(migrated, tmp_path):
    folder = tmp_path / "repo"
    folder.mkdir()
    shutil.copy2(migrated, folder)
    return folder


def tracker(root, stage="pretrain", **changed):
    return Tracker(stage, root=root, facts=RunFacts(baseline="a" * 40, inputs=SEED | changed))


def train(root, values, stage="pretrain", **changed):
    """A training from step 0, with these losses at steps 1, 2, ..."""
    with tracker(root, stage, **changed) as one:
        one.begin(0, [])
        for step, value in enumerate(values, 1):
            one.log(step, {"pixel": value})
    return one.run_id


def runs(root):
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{root}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'srmodels'")
    return client, client.search_runs([experiment.experiment_id])


def history(client, run, name="pretrain/pixel"):
    points = client.get_metric_history(run, name)
    return [(point.step, point.value) for point in sorted(points, key=lambda each: each.step)]


def test_stages_share_a_run_and_a_resume_goes_on_in_it_without_repeating_a_step(root) -> None:
    first = train(root, [0.5, 0.4, 0.3])
    with tracker(root) as resumed:  # from the checkpoint of step 2
        resumed.begin(2, [(1, "pixel", 0.5), (2, "pixel", 0.4)])
        for step, value in ((3, 0.3), (4, 0.2)):
            resumed.log(step, {"pixel": value})
    gan = train(root, [0.9], "gan")
    client, (only,) = runs(root)
    assert first == resumed.run_id == gan == only.info.run_id
    assert history(client, gan) == [(1, 0.5), (2, 0.4), (3, 0.3), (4, 0.2)]
    assert only.info.status == "FINISHED"


def test_a_training_that_begins_anew_has_a_run_of_its_own(root) -> None:
    # such as `dvc repro --force` on a GPU, or `dvc exp run -f -n SAME`
    one, two = train(root, [0.5, 0.4]), train(root, [0.6, 0.7])
    gan = train(root, [0.9], "gan")
    client, _ = runs(root)
    assert history(client, one) == [(1, 0.5), (2, 0.4)]
    assert history(client, two) == [(1, 0.6), (2, 0.7)]
    assert gan == two


def trained_on(root, machine, stage="pretrain", *, step=0):
    """The tags of a run after a training on a machine, from a step on."""
    facts = RunFacts(baseline="a" * 40, inputs=SEED)
    with Tracker(stage, root=root, facts=facts, machine=machine and (lambda: machine)) as one:
        one.begin(step, [])
        one.log(step + 1, {"pixel": 0.5})
    tags = runs(root)[0].get_run(one.run_id).data.tags
    return [tags.get(f"srmodels.machine.{name}") for name in ("pretrain", "gan", "test")]


def test_a_run_names_the_machine_of_each_stage_that_trained(root) -> None:
    assert trained_on(root, "CPU") == ["CPU", None, None]
    assert trained_on(root, "GPU", "gan") == ["CPU", "GPU", None]
    with Tracker(
        "test", root=root, facts=RunFacts(baseline="a" * 40, inputs=SEED), machine=lambda: "phone"
    ) as watcher:
        watcher.log(0, {"psnr_y": 30.0})
        watcher.open_fitting()
    _, (only,) = runs(root)
    assert "srmodels.machine.test" not in only.data.tags


def test_a_resumed_training_names_all_of_its_machines_once(root) -> None:
    assert trained_on(root, "CPU")[0] == "CPU"
    assert trained_on(root, "CPU", step=1)[0] == "CPU"
    for step in (2, 3):
        assert trained_on(root, "GPU", step=step)[0] == "CPU; resumed on GPU"
    assert trained_on(root, "other", step=4)[0] == "CPU; resumed on GPU; resumed on other"


def test_a_resumed_training_does_not_guess_its_first_machine(root) -> None:
    assert trained_on(root, None)[0] is None
    assert trained_on(root, "GPU", step=1)[0] == "not recorded; resumed on GPU"


@pytest.mark.parametrize("what", ["settings", "code", "data", "weights"])
def test_a_training_of_other_settings_code_data_or_weights_has_another_run(root, what) -> None:
    one = train(root, [0.5])
    two = train(root, [0.7], **{what: "changed"})
    gan = [train(root, [0.9], "gan"), train(root, [0.8], "gan", **{what: "changed"})]
    client, found = runs(root)
    assert gan == [one, two]
    assert len(found) == 2
    assert [history(client, run) for run in (one, two)] == [[(1, 0.5)], [(1, 0.7)]]


def test_two_people_on_one_server_have_two_runs(root, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root}/mlflow.db")
    people = [tmp_path / name for name in ("one", "two")]
    opened = []
    for person in people:
        person.mkdir()
        with tracker(person) as each:
            each.begin(0, [])
            each.log(1, {"pixel": 0.5})
        opened.append(each.run_id)
    assert [train(person, [0.9], "gan") for person in people] == opened
    assert len(set(opened)) == 2


def test_curves_from_the_cache_are_replayed_once_and_other_ones_have_another_run(root) -> None:
    curve = Curve(root / "pretrain.csv")
    for step in (10, 20):
        curve.add(step, {"pixel": 1 / 3 / step})

    def replay(score=30.0):
        with tracker(root, "test") as watcher:
            watcher.replay(curve.path, "pretrain")
            watcher.log(0, {"psnr_y": score})
            watcher.open_fitting()
        return watcher.run_id

    assert len({replay(), replay()}) == 1
    curve.path.write_text(curve.path.read_text().replace("0.0166667", "0.0166"))
    others = [replay(), replay(31.0)]  # other curves, and other scores
    client, found = runs(root)
    assert len(found) == 3
    assert history(client, others[0]) == [(10, 0.0333333), (20, 0.0166)]
    assert client.get_run(others[1]).data.metrics["test/psnr_y"] == 31.0


def test_an_evaluation_that_fails_marks_the_run_of_the_curves(root) -> None:
    run = train(root, [0.5])
    curve = Curve(root / "pretrain.csv")
    curve.add(1, {"pixel": 0.5})
    failing = tracker(root, "test")
    failing.replay(curve.path, "pretrain")
    with pytest.raises(OSError, match="no such"), failing:
        failing.table(root / "no such table.csv")
    _, (only,) = runs(root)
    assert (only.info.run_id, only.info.status) == (run, "FAILED")


def test_a_resume_under_another_name_has_the_whole_curve(root, monkeypatch) -> None:
    train(root, [0.5, 0.4])
    monkeypatch.setenv("DVC_EXP_NAME", "red-fox")
    with tracker(root) as resumed:
        resumed.begin(2, [(1, "pixel", 0.5), (2, "pixel", 0.4)])
        resumed.log(3, {"pixel": 0.3})
    client, _ = runs(root)
    assert history(client, resumed.run_id) == [(1, 0.5), (2, 0.4), (3, 0.3)]
    assert client.get_run(resumed.run_id).data.tags["dvc.exp_name"] == "red-fox"


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED"), (None, "FINISHED")]
)
def test_a_run_says_how_it_ended(root, error, status) -> None:
    try:
        with tracker(root) as one:
            one.begin(0, [])
            if error:
                raise error
    except (ValueError, KeyboardInterrupt):
        pass
    _, (only,) = runs(root)
    assert only.info.status == status


def _hang(root, ready):
    one = tracker(root).__enter__()
    one.begin(0, [])
    one.log(1, {"pixel": 1.0})
    one._send()
    ready.set()
    signal.pause()


def test_a_killed_process_has_its_run_marked_by_the_next(root) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hang, args=(root, ready))
    process.start()
    assert ready.wait(120)
    _, (only,) = runs(root)
    assert only.info.status == "RUNNING"
    process.kill()
    process.join()
    train(root, [0.5], data="other")
    client, _ = runs(root)
    assert client.get_run(only.info.run_id).info.status == "KILLED"


def test_a_run_has_few_parameters_all_settings_the_photographs_and_pictures(root) -> None:
    facts = RunFacts(
        baseline="a" * 40,
        inputs=SEED,
        params={"model": "srgan"},
        settings={"seed": 0, "data": {"photos": "auto"}},
        tags={"model": "srgan"},
        datasets=[DatasetFacts(name="bsds", digest="f" * 64, use="test", counts={"photos": 2})],
    )
    (root / "per_image.csv").write_text("image,psnr_y\na,30.5\n")
    with Tracker("test", root=root, facts=facts) as one:
        one.picture("cat", np.zeros((8, 8, 3), np.uint8), 0)
        one.begin(0, [])
        one.table(root / "per_image.csv")
    client, (only,) = runs(root)
    assert only.data.params == {"model": "srgan"}
    assert only.data.tags["mlflow.source.git.commit"] == "a" * 40
    (used,) = only.inputs.dataset_inputs
    assert (used.dataset.name, used.tags[0].value) == ("bsds", "test")
    settings = mlflow.artifacts.load_text(f"{only.info.artifact_uri}/params.yaml")
    assert "photos: auto" in settings
    names = {file.path for file in client.list_artifacts(only.info.run_id)}
    assert {"params.yaml", "per_image.json", "images"} <= names


def test_a_server_that_is_down_warns_once_and_says_what_was_not_sent(
    tmp_path, monkeypatch, caplog
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING), tracker(tmp_path) as watcher:
        watcher.begin(0, [])
        watcher.log(1, {"pixel": 1.0})
        watcher._send()
        watcher._send()
    texts = [record.getMessage() for record in caplog.records if "MLflow" in record.getMessage()]
    assert sum("Points are kept" in text for text in texts) == 1
    assert "1 points and 0 pictures" in texts[-1]
    assert texts[-1].endswith("dvc repro --single-item --force evaluate")


def test_a_deleted_experiment_is_told_with_the_command_that_restores_it(root, caplog) -> None:
    train(root, [0.5])
    client, (only,) = runs(root)
    client.delete_experiment(only.info.experiment_id)
    with caplog.at_level(logging.WARNING):
        train(root, [0.5])
    assert f"restore --experiment-id {only.info.experiment_id}" in caplog.text


@pytest.mark.parametrize("version", ["451aebb31d03", "ffffffffffff"])
def test_a_store_of_another_mlflow_is_told_with_the_command_that_helps(root, version) -> None:
    with sqlite3.connect(root / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (version,))
    database.close()
    with pytest.raises(TrainingError) as caught:
        newest(1, root=root)
    assert "mlflow db upgrade" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_repository_in_a_folder_with_a_url_s_letters_keeps_its_run_inside(
    migrated, tmp_path
) -> None:
    root = tmp_path / "a%20b ?c#d&e=\u00e9"
    root.mkdir()
    shutil.copy2(migrated, root)
    with tracker(root) as one:
        one.begin(0, [])
        one.picture("cat", np.zeros((8, 8, 3), np.uint8), 0)
    assert list((root / "mlartifacts").rglob("*.png"))
    assert {path.name for path in root.iterdir()} == {"mlflow.db", "mlartifacts", ".resume"}
    assert [run.id for run in newest(1, root=root)] == [one.run_id]


def test_the_key_tells_experiments_baselines_and_inputs_apart(monkeypatch) -> None:
    def key(baseline="a" * 40, **inputs):
        return run_key(RunFacts(baseline=baseline, inputs=inputs))

    keys = {key(seed=0), key(seed=1), key("b" * 40, seed=0)}
    monkeypatch.setenv("DVC_EXP_NAME", "hazy-fox")
    keys.add(key(seed=0))
    assert len(keys) == 4
    assert key(a=1, b=2) == key(b=2, a=1)
