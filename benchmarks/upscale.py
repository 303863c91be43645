"""Time and memory of enlarging a picture, here, untiled and with the usual tile loop.

`python -m benchmarks.upscale` enlarges one photograph with networks of the papers' sizes: in tiles
of 128 with a padding of 10, untiled (both float32), and by `srmodels.inference.tiling.upscale`. The
ways take turns, every run in its own process, because allocator settings and peak memory belong to
a process. About half a GiB of each peak is PyTorch itself.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.data import astronaut
from torch import Tensor, nn

from benchmarks.report import Cell, report
from srmodels import models
from srmodels.inference.tiling.upscale import upscale
from srmodels.machine import keep_freed_memory
from srmodels.resize.tensors import to_image, to_tensor

Picture = NDArray[np.uint8]

NETWORKS = {"RRDB-23": "rrdbnet", "SRResNet": "srresnet"}
SMALL = {"RRDB-23": {"num_blocks": 1}, "SRResNet": {"num_blocks": 2}}
SCALE, TILE, PADDING = 4, 128, 10
_SPREAD = 0.2  # standard deviation of SR, about a photograph's


def _network(name: str, *, quick: bool) -> nn.Module:
    """A network with random weights whose last layer gives a photograph's contrast."""
    torch.manual_seed(0)
    kind = NETWORKS[name]
    settings = models.settings_class(kind)(**(SMALL[name] if quick else {}))
    network = models.build(kind, settings).eval()
    last = [layer for layer in network.modules() if getattr(layer, "out_channels", 0) == 3][-1]
    with torch.inference_mode():
        spread = network(torch.rand(1, 3, 24, 24)).std()
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.mul_(_SPREAD / spread)
    return network


@torch.inference_mode()
def _untiled(network: nn.Module, lr: Picture) -> Picture:
    return to_image(network(to_tensor(lr)))


@torch.inference_mode()
def usual(network: Callable[[Tensor], Tensor], lr: Picture) -> Picture:
    """The loop of public inference scripts: tiles are copied into a tensor of the whole SR."""
    whole = to_tensor(lr)
    height, width = whole.shape[-2:]
    sr = torch.zeros(1, 3, SCALE * height, SCALE * width)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            above, before = max(0, top - PADDING), max(0, left - PADDING)
            bottom, right = min(height, top + TILE), min(width, left + TILE)
            tile: Tensor = network(
                whole[..., above : bottom + PADDING, before : right + PADDING].contiguous()
            )
            rows, columns = _of(above, top, bottom), _of(before, left, right)
            sr[..., _of(0, top, bottom), _of(0, left, right)] = tile[..., rows, columns]
    return to_image(sr)


def _of(start: int, first: int, end: int) -> slice:
    return slice(SCALE * (first - start), SCALE * (end - start))


def _ours(network: nn.Module, lr: Picture) -> Picture:
    keep_freed_memory()
    network.to(memory_format=torch.channels_last)
    return upscale(network, lr, scale=SCALE, precision="auto")


WAYS: dict[str, Callable[[nn.Module, Picture], Picture]] = {
    "usual tile loop": usual,
    "untiled": _untiled,
    "ours": _ours,
}


def peak_bytes() -> int:
    """Peak resident memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage includes the parent's memory at the start
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert peak is not None, "on Linux"
        return int(peak[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _run(folder: Path, name: str, way: str, *, quick: bool) -> None:
    """Does one run in this process."""
    lr, network = np.load(folder / "lr.npy"), _network(name, quick=quick)
    before, start = peak_bytes(), time.perf_counter()
    sr = WAYS[way](network, lr)
    spent = time.perf_counter() - start
    np.save(folder / f"{name}-{way}.npy", sr)
    print(json.dumps({"seconds": spent, "before": before, "peak": peak_bytes()}))


def _measured(folder: Path, name: str, way: str, *, quick: bool) -> dict[str, float]:
    words = ["--run", str(folder), name, way, *(["--quick"] if quick else [])]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.upscale", *words],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def photograph(width: int, height: int) -> Picture:
    """scikit-image's astronaut, 512 x 512, and its mirror images."""
    beyond = [(0, max(0, side - 512)) for side in (height, width)]
    mirrored: Picture = np.pad(astronaut(), [*beyond, (0, 0)], mode="symmetric")
    return mirrored[:height, :width]


def measure(folder: Path, *, width: int, height: int, rounds: int, quick: bool) -> list[list[Cell]]:
    """The table's rows."""
    np.save(folder / "lr.npy", photograph(width, height))
    rows: list[list[Cell]] = []
    for name in NETWORKS:
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for turn in range(rounds):
            for way in WAYS:
                if way != "untiled" or turn == 0:  # one run measures its memory
                    runs[way].append(_measured(folder, name, way, quick=quick))
        whole = np.load(folder / f"{name}-untiled.npy").astype(int)
        usual, untiled = (min(r["seconds"] for r in runs["usual tile loop"]), runs["untiled"][0])
        for way, measured in runs.items():
            seconds, peak = min(r["seconds"] for r in measured), max(r["peak"] for r in measured)
            away = np.abs(np.load(folder / f"{name}-{way}.npy") - whole)
            rows.append(
                [
                    f"{name}, {way}",
                    f"{seconds:.1f} s",
                    f"{usual / seconds:.1f}x",
                    f"{peak / 2**20:.0f} MiB",
                    f"1/{untiled['peak'] / peak:.1f}",
                    f"{away.mean():.2f}, {away.max()}",
                ]
            )
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--width", type=int, default=768, help="of the picture, LR pixels")
    parser.add_argument("--height", type=int, default=576)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="small networks, to try the script")
    parser.add_argument("--json", type=Path, help="where to keep the table")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        folder, name, way = given.run
        _run(Path(folder), name, way, quick=given.quick)
        return
    settings = {"width": given.width, "height": given.height, "rounds": given.rounds}
    with TemporaryDirectory() as folder:
        rows = measure(Path(folder), **settings, quick=given.quick)
    report(
        f"A photograph of {given.width} x {given.height} pixels, {SCALE} times larger",
        [
            "way",
            "time",
            "speed",
            "peak memory",
            "of untiled's memory",
            "levels off untiled: mean, most",
        ],
        rows,
        settings={**settings, "tile": TILE, "padding": PADDING, "threads": torch.get_num_threads()},
        path=given.json,
    )


if __name__ == "__main__":
    main()
