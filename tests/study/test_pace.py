"""The time of a step, measured as the queue will train."""

import pytest

from srmodels.errors import TrainingError
from srmodels.study.pace import seconds_per_step

VALUES = {"evaluate": {}, "models": {"srgan": {"matched": {"pretrain": {}}}}}
# waits until two of it run, then prints its number of threads as the time of a step
TOGETHER = """
import os, pathlib, time
pathlib.Path(str(os.getpid())).touch()
while len([*pathlib.Path().glob("[0-9]*")]) < 2:
    time.sleep(0.01)
print(f"a step  {os.environ['OMP_NUM_THREADS']}.50 ms  100.0%")
"""


def pace(root, stage, **options):
    (root / "stages").mkdir()
    (root / "stages" / "pretrain.py").write_text(stage)
    return seconds_per_step(VALUES, "srgan", "matched", "pretrain", root=root, **options)


def test_it_is_measured_with_as_many_at_once_as_will_train(tmp_path):
    assert pace(tmp_path, TOGETHER, jobs=2, threads=3) == pytest.approx(0.0035)


def test_a_stage_that_fails_is_named(tmp_path):
    with pytest.raises(TrainingError, match="srgan: its pace cannot be measured"):
        pace(tmp_path, "raise SystemExit(1)")
