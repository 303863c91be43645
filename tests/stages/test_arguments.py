"""What can be asked of a training stage before anything is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("stage", ["pretrain", "gan"])
def test_help_needs_neither_parameters_nor_patches(stage, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{stage}", "--help"],
        **{"cwd": tmp_path, "capture_output": True, "text": True},
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert "--profile" in done.stdout
