"""What this machine has and is fast at: cores, bfloat16, memory; and where the checkout lies."""

import ctypes
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from srmodels.errors import ConfigError

if TYPE_CHECKING:
    import torch

__all__ = [
    "bf16_is_fast",
    "compile_function",
    "core_numbers",
    "cores",
    "is_out_of_memory",
    "keep_freed_memory",
    "let_idle_threads_sleep",
    "open_closed_streams",
    "repository",
    "resolve_device",
    "stream_is_closed",
    "without_tf32",
]

_LEAST_GAIN = 1.2  # of bfloat16
_ROUNDS = 12  # of a measurement
_M_TRIM_THRESHOLD = -1  # names and values of glibc's malloc.h

_M_MMAP_MAX = -4


@cache
def bf16_is_fast(device: str) -> bool:
    """Whether a kind of device ("cuda", "mps", "cpu") multiplies bfloat16 faster than float32.

    Measured on a CPU, because its flags do not tell: an environment variable or a virtual machine
    may hide instructions, and bfloat16 without them is ten times slower than float32.
    """
    import torch  # here, since the command line asks this module for less

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    bf16, fp32 = _seconds_of_convolution(torch.bfloat16, torch.float32)
    return bf16 * _LEAST_GAIN < fp32


def _seconds_of_convolution(*dtypes: "torch.dtype") -> list[float]:
    """The shortest times of a small convolution in each type.

    In turn and on one thread: a busy core slows all types alike, and no thread waits for another.
    """
    import torch

    def sample(*shape: int, dtype: "torch.dtype") -> torch.Tensor:
        return torch.ones(shape, dtype=dtype).contiguous(memory_format=torch.channels_last)

    pairs = [
        (sample(4, 32, 32, 32, dtype=dtype), sample(32, 32, 3, 3, dtype=dtype)) for dtype in dtypes
    ]
    shortest, threads = [math.inf] * len(pairs), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            for place in [*range(len(pairs))] * _ROUNDS:
                start = time.perf_counter()
                torch.nn.functional.conv2d(pairs[place][0], pairs[place][1], padding=1)
                shortest[place] = min(shortest[place], time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return shortest


@contextmanager
def without_tf32() -> Iterator[None]:
    """Convolutions on CUDA in float32 instead of TF32, whose 10 bits change SR and scores."""
    import torch  # here, since the command line asks this module for less

    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        yield


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory was missing, on an accelerator or the CPU."""
    import torch  # here, since the command line asks this module for less

    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def resolve_device(name: str, *, where: str = "device") -> "torch.device":
    """The device for "auto" (CUDA, then Apple's MPS, then the CPU), "cuda", "mps" or "cpu".

    Raises:
        ConfigError: PyTorch does not see it; names the key `where`.
    """
    import torch  # here, since the command line asks this module for less

    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    chosen = next(kind for kind in available if available[kind]) if name == "auto" else name
    if not available.get(chosen, False):
        seen = ", ".join(kind for kind in available if available[kind])
        raise ConfigError(f"{where}: PyTorch sees {seen} here (got {name!r}). Use auto.")
    return torch.device(chosen)


def keep_freed_memory() -> None:
    """Tells glibc to keep freed activations in the heap instead of returning them each time.

    Every step and every tile allocates the same blocks again; handing them back to the kernel costs
    page faults, about a third of a small network's step. Elsewhere than on glibc there is nothing
    to do.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def let_idle_threads_sleep() -> None:
    """Makes OpenMP's idle threads sleep soon instead of polling for work; before torch's import.

    Tiles are large enough for that to cost nothing, and beside other programs polling wastes most
    of the time (benchmarks/threads.py). A training polls: its operations are too short for sleep.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def compile_function(function: Callable[..., Any], signature: object) -> Any:  # noqa: ANN401 - numba's
    """Compiles with numba for a signature; caches the code where a folder can be written."""
    import numba  # here, since most commands compile nothing

    try:
        return numba.njit(signature, nogil=True, cache=True)(function)
    except RuntimeError as error:  # package and home are read-only
        if "cannot cache" not in str(error):
            raise
        return numba.njit(signature, nogil=True)(function)


def open_closed_streams() -> None:
    """Opens the null device in place of each standard stream that the caller closed.

    Otherwise the next file that is opened gets the stream's number, and libraries write to it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                descriptor = os.open(os.devnull, os.O_RDWR)
                if descriptor != number:
                    os.dup2(descriptor, number)
            stream = Path(os.devnull).open("r+", encoding="utf-8")  # noqa: SIM115 - for good
            setattr(sys, name, stream)


def stream_is_closed(stream: TextIO) -> bool:
    """Whether `open_closed_streams` opened this stream."""
    return stream.name == os.devnull


def core_numbers() -> set[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def cores() -> int:
    """How many cores this process may use."""
    return len(core_numbers())


def repository() -> Path:
    """The folder of the checkout that this package lies in: its weights/, data/ and metrics/."""
    return Path(__file__).resolve().parents[1]
