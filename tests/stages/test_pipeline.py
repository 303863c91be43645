"""The whole pipeline in the smoke preset, as a user runs it: real DVC, real kills."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.stages.repository import copy_of, edit, environment, forget, run

pytestmark = pytest.mark.slow

RESULTS = ("weights", "metrics", "plots", "samples")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every result file."""
    files = [path for name in RESULTS for path in sorted((folder / name).rglob("*"))]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file() and path.name != ".gitignore"
    }


@pytest.fixture(scope="module")
def finished(smoke, tmp_path_factory) -> Path:
    """A repository in which the smoke preset has run once; tests leave it as they found it."""
    return copy_of(smoke, tmp_path_factory.mktemp("pipeline") / "repo")


@pytest.fixture
def restored(finished) -> Path:
    """The same; what a test edits in params.yaml is put back."""
    before = (finished / "params.yaml").read_text()
    yield finished
    (finished / "params.yaml").write_text(before)


def test_every_stage_leaves_its_files(finished) -> None:
    expected = {
        "weights/pretrained.safetensors",
        "weights/generator.safetensors",
        "metrics/patches.json",
        "metrics/pretrain.json",
        "metrics/gan.json",
        "metrics/evaluate.json",
        "plots/pretrain.csv",
        "plots/gan.csv",
        "plots/per_image.csv",
    }
    assert expected <= digests(finished).keys()
    assert list((finished / "samples").glob("*.png"))
    assert not list((finished / ".resume").glob("pretrain-*"))


def test_a_second_repro_does_nothing(finished) -> None:
    assert "Data and pipelines are up to date" in run(finished, "dvc", "repro")


def test_running_again_from_nothing_gives_the_same_bytes(finished) -> None:
    before = digests(finished)
    for name in (*RESULTS, "data/patches", "data/photos"):
        shutil.rmtree(finished / name)
    run(finished, "dvc", "repro", "--force")
    assert digests(finished) == before


def stages_run(folder: Path) -> list[str]:
    """The stages that `dvc repro` runs."""
    return re.findall("Running stage '(.*)'", run(folder, "dvc", "repro"))


def test_another_models_section_reruns_the_check_alone(restored) -> None:
    edit(restored, "pretrain: {objective: {name: pixel, kind: mse}}", "pretrain: {}")  # srcnn's
    assert stages_run(restored) == ["code"]


def test_the_presets_training_reruns_its_own_stages(restored) -> None:
    edit(restored, "steps: 10\n      batch_size: 2", "steps: 9\n      batch_size: 2")
    text = run(restored, "dvc", "status")
    assert "training.smoke.adversarial" in text
    assert "pretrain:" not in text
    edit(restored, "steps: 9\n      batch_size: 2", "steps: 10\n      batch_size: 2")
    edit(restored, "pretrain:\n      batch_size: 8", "pretrain:\n      batch_size: 9")
    assert stages_run(restored) == ["code"]  # that was quickstart's


def test_a_misspelt_model_is_one_line_with_the_names(restored) -> None:
    text = run(restored, "dvc", "exp", "run", "-S", "model=srgann", ok=False)
    assert "error: model: unknown name (got 'srgann'). Use one of srcnn, srresnet, srgan," in text
    assert "Traceback" not in text
    run(restored, "git", "checkout", "-q", ".")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("\nseed: 0", "\nseed: 0.5", "seed: must be"),
        ("\nscale: 4", "\nscale: 5", "scale: must be"),
        ("\nmodel: srgan", "\nmodel: [srgan]", "model: must be"),
        ("stride: 48", "stride: null", "patches.stride: must be"),
        (
            "adversarial: 5.0e-3}\n          perceptual: {weights: random,",
            "adversarial: 5.0e-3}\n          perceptual: {weights: 1,",
            "models.srgan.smoke.adversarial.objective.perceptual.weights: must be",
        ),
        (
            "steps: 10\n      batch",
            "steps: x\n      batch",
            "training.smoke.adversarial.steps: must",
        ),
    ],
)
def test_a_wrong_setting_ends_before_anything_is_deleted(restored, old, new, problem) -> None:
    before = digests(restored)
    patches = sorted(path.name for path in (restored / "data" / "patches").rglob("*"))
    edit(restored, old, new)
    text = run(restored, "dvc", "repro", ok=False)
    # DVC itself refuses a list where its templates need a word
    assert problem in text or "failed to parse" in text
    assert "Traceback" not in text
    assert digests(restored) == before
    assert sorted(path.name for path in (restored / "data" / "patches").rglob("*")) == patches


def test_stages_run_by_hand_leave_the_cache_alone_that_their_outputs_link_to(restored) -> None:
    run(restored, "dvc", "config", "--local", "cache.type", "symlink")
    run(restored, "dvc", "checkout", "--relink")
    assert (restored / "weights" / "generator.safetensors").is_symlink()
    for stage in ("code", "pretrain", "gan", "evaluate"):
        run(restored, "python", "-m", f"stages.{stage}")
    cache = restored / ".dvc" / "cache" / "files" / "md5"
    for path in cache.rglob("*"):
        if path.is_file() and path.suffix != ".dir":
            digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            assert digest == path.parent.name + path.name
    run(restored, "dvc", "config", "--local", "--unset", "cache.type")
    run(restored, "dvc", "repro")


def kill_in(folder: Path, stage: str, number: signal.Signals = signal.SIGKILL) -> None:
    """Starts `dvc repro STAGE`; signals DVC and its child once a checkpoint is saved."""
    process = subprocess.Popen(
        ["dvc", "repro", stage],
        cwd=folder,
        env=environment(forks=False),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 600
    saved = False
    while not saved and process.poll() is None and time.monotonic() < deadline:
        saved = bool(list((folder / ".resume").glob(f"{stage}-*/checkpoint.pt")))
        time.sleep(0.01)
    assert process.poll() is None, "it ended before it could be killed"
    os.killpg(process.pid, number if saved else signal.SIGKILL)
    assert process.wait() != 0
    assert saved, f"{stage} never saved a checkpoint"


@pytest.mark.parametrize(
    ("stage", "number"),
    [("pretrain", signal.SIGINT), ("gan", signal.SIGKILL)],
    ids=["as by Ctrl-C", "killed"],
)
def test_a_training_stopped_in_the_middle_has_failed_for_dvc_and_goes_on_to_the_same_bytes(
    smoke, tmp_path, stage, number
) -> None:
    folder = copy_of(smoke, tmp_path / "repo")
    edit(folder, "checkpoint_steps: 0", "checkpoint_steps: 1")
    before = digests(folder)
    forget(folder, stage)
    kill_in(folder, stage, number)
    assert "resumed at step" in run(folder, "dvc", "repro", stage)
    assert digests(folder) == before
