"""`python -m benchmarks.gpu` without a GPU: all of its code on the CPU, or one line."""

import json
import math
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from benchmarks.gpu import Measured, _measure, _rows
from benchmarks.networks import Size

ROOT = Path(__file__).parents[2]
SMALL = ["--preset", "smoke", "--photos", "1", "--rounds", "1", "--seconds", "0.05"]
WAYS = ["plain", "public trainer", "ours"]


def gpu(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_without_a_gpu_it_ends_with_one_line() -> None:
    done = gpu(CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("benchmarks.gpu: PyTorch sees no CUDA GPU here.")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.long
@pytest.mark.slow
def test_a_cpu_fills_all_tables(tmp_path) -> None:
    done = gpu(
        "--device",
        "cpu",
        *SMALL,
        "--networks",
        "SRResNet",
        "--ways",
        *WAYS,
        "--results",
        str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    tables = {path.stem: json.loads(path.read_bytes()) for path in tmp_path.iterdir()}
    assert sorted(tables) == ["gpu-distributed", "gpu-loading", "gpu-training"]
    rows = tables["gpu-training"]["rows"]
    assert [row[:2] for row in rows] == [["SRResNet", way] for way in WAYS]
    assert all(float(row[2]) > 0 and row[6].endswith("%") for row in rows)
    assert rows[0][3] == rows[1][4] == "1.0x"
    assert all(table["rows"] and "torch" in table["machine"] for table in tables.values())


@pytest.mark.long
@pytest.mark.slow
def test_a_way_that_fails_is_in_the_table_and_its_error_in_the_output(capfd) -> None:
    found = {
        "plain": Measured(rate=2.0, waited=0.5, flops=10**9, memory=2**20),
        "ours": _measure(partial(math.sqrt, -1), 0, 1, 0.1),
    }
    assert "math domain error" in capfd.readouterr().err
    assert _rows("SRGAN", Size(batch=16), found, peak=1e10) == [
        ["SRGAN", "plain", "32", "1.0x", "-", "0.002", "20%", "50.0%", 1],
        ["SRGAN", "ours", "failed", *["-"] * 6],
    ]
