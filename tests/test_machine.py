"""Closed streams and read-only folders, as cron jobs, services and containers have them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from srmodels.machine import _seconds_of_convolution

ROOT = Path(__file__).parents[1]
COMPILE = """
import numba
from srmodels.machine import compile_function
double = compile_function(lambda x: 2 * x, numba.int64(numba.int64))
assert double(21) == 42
"""
STREAMS = """
import os, sys
from srmodels.machine import open_closed_streams, stream_is_closed
open_closed_streams()
closed = [name for name in ("stdin", "stdout", "stderr") if stream_is_closed(getattr(sys, name))]
from tqdm import tqdm
list(tqdm(range(3), disable=None))
descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
assert descriptor > 2
os.write(descriptor, " ".join(closed).encode())
print("to nowhere", flush=True)
sys.stdin.read(0), sys.stdout.isatty(), sys.stderr.write("x")
"""


def python(code: str, *arguments: str, shell: str = "", **variables: str):
    words = [sys.executable, "-c", code, *arguments]
    if shell:
        words = ["sh", "-c", f'exec "$@" {shell}', "sh", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("shell", "closed"),
    [
        (">&-", "stdout"),
        ("2>&-", "stderr"),
        ("<&-", "stdin"),
        ("<&- >&- 2>&-", "stdin stdout stderr"),
    ],
)
def test_a_closed_stream_is_the_null_device_and_no_file_takes_its_number(
    shell, closed, tmp_path
) -> None:
    done = python(STREAMS, str(tmp_path / "file"), shell=shell)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_text() == closed


def test_code_is_compiled_where_no_cache_can_be_written(tmp_path) -> None:
    (tmp_path / "kernel.py").write_text(COMPILE)
    code = f"import numba.core.caching as c; c.CacheImpl._locator_classes = []\n{COMPILE}"
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_idle_threads_sleep_where_torch_is_not_yet_imported() -> None:
    code = (
        "import os; from srmodels.machine import let_idle_threads_sleep as f; f(); "
        "print(os.environ['GOMP_SPINCOUNT']); del os.environ['GOMP_SPINCOUNT']; "
        "import torch; f(); print('GOMP_SPINCOUNT' in os.environ)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1000", "False"]


def test_a_measurement_leaves_the_number_of_threads_as_it_was() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        seconds = _seconds_of_convolution(torch.float32, torch.float32)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
    assert all(0 < each < 1 for each in seconds)


def test_bfloat16_is_not_fast_where_its_instructions_are_hidden() -> None:
    code = "from srmodels.machine import bf16_is_fast; print(bf16_is_fast('cpu'))"
    hidden = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=hidden, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
