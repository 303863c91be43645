"""All that is measured on CUDA GPUs, in one command.

`python -m benchmarks.gpu` writes benchmarks/results/gpu-training.json (training steps with their
data, crops and networks of the preset `paper`), gpu-loading.json (random crops on their way to the
GPU) and, where there are several GPUs, gpu-distributed.json. Each way of training has a process of
its own, one after the other, since a GPU may not hold two. A way that fails leaves its error in the
output and "failed" in the table. Compiled, a network's first step takes minutes.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch

from benchmarks import distributed, loading
from benchmarks.networks import NETWORKS, Size, size_of
from benchmarks.public_trainer import WORKERS, Public
from benchmarks.report import Cell, report
from benchmarks.steps import Ours, Plain, Round, Way, fastest, serve
from benchmarks.training import prepare, process, receive

RESULTS = Path(__file__).parent / "results"
CHOSEN = ("SRResNet", "SRGAN", "RRDB-23", "SwinIR")
WAYS: Mapping[str, tuple[Callable[[str, Path, torch.device, Size], Way], int]] = {
    "plain": (Plain, 2),  # and the DataLoader's workers
    "public trainer": (Public, WORKERS),
    "ours": (Ours, 0),
    "ours, compiled": (partial(Ours, mode="default"), 0),
    "ours, CUDA graphs": (partial(Ours, mode="reduce-overhead"), 0),
    "ours, kernels not deterministic": (partial(Ours, deterministic=False), 0),
}
COLUMNS = (
    *("network", "way", "samples/s", "of plain", "of the public trainer"),
    *("TFLOP/s", "of the peak", "data wait", "MiB"),
)


@dataclass(frozen=True)
class Measured:
    """What a way did."""

    rate: float  # steps per second
    waited: float  # share of the time that steps waited for their batches
    flops: int  # of a step; 0: not counted
    memory: int  # bytes


def _measure(make: Callable[[], Way], workers: int, rounds: int, seconds: float) -> Measured | None:
    """Measures a way in its own process; None if that failed."""
    done: list[Round] = []
    try:
        with process(serve, make, workers) as line:
            flops = line.recv()
            for _ in range(rounds):
                line.send((seconds, workers))
                done.append(line.recv())
            line.send(None)
            memory = line.recv()
    except EOFError:  # the process has printed its error
        return None
    return Measured(
        rate=median(each.steps / each.seconds for each in done),
        waited=median(each.waited / each.seconds for each in done),
        flops=flops,
        memory=memory,
    )


def _ratio(found: Measured, other: Measured | None) -> str:
    return f"{found.rate / other.rate:.1f}x" if other else "-"


def _rows(
    work: str, size: Size, measured: Mapping[str, Measured | None], peak: float
) -> list[list[Cell]]:
    flops = max((each.flops for each in measured.values() if each), default=0)
    rows: list[list[Cell]] = []
    for name, found in measured.items():
        if found is None:
            rows.append([work, name, "failed", *["-"] * (len(COLUMNS) - 3)])
            continue
        cells: list[Cell] = [work, name, f"{size.batch * found.rate:.3g}"]
        cells += [_ratio(found, measured.get(other)) for other in ("plain", "public trainer")]
        speed = found.rate * flops
        cells += [f"{speed / 1e12:.3g}", f"{speed / peak:.0%}"] if flops else ["-", "-"]
        rows.append([*cells, f"{found.waited:.1%}", round(found.memory / 2**20)])
    return rows


def train(
    networks: Sequence[str],
    ways: Sequence[str],
    device: torch.device,
    path: Path,
    *,
    preset: str,
    photos: int,
    rounds: int,
    seconds: float,
) -> None:
    """The table of training steps."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, photos)
        product, convolution = receive(fastest, device)
        rows: list[list[Cell]] = []
        for work in networks:
            size = size_of(work, preset)
            measured: dict[str, Measured | None] = {}
            for way in ways:
                make, workers = WAYS[way]
                given = partial(make, work, folder, device, size)
                measured[way] = _measure(given, workers, rounds, seconds)
            rows += _rows(work, size, measured, max(product, convolution))
            print(*rows[-len(ways) :], sep="\n", file=sys.stderr, flush=True)
    settings: dict[str, Cell] = {"preset": preset, "rounds": rounds, "seconds": seconds}
    settings |= {"matmul_gflops": round(product / 1e9)}
    settings |= {"convolution_gflops": round(convolution / 1e9)}
    settings["device"] = torch.cuda.get_device_name() if device.type == "cuda" else device.type
    title = f"Training steps of the preset {preset}, data included"
    report(title, COLUMNS, rows, settings=settings, path=path)


def main() -> None:
    """Prints the tables and writes their files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(CHOSEN))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--preset", default="paper", help="smoke: only to see that it works")
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of the tables")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        sys.exit(
            "benchmarks.gpu: PyTorch sees no CUDA GPU here. Run it where there is one, or with "
            "--device cpu --preset smoke to see that it works."
        )
    device = torch.device(given.device)
    counts = {"photos": given.photos, "rounds": given.rounds, "seconds": given.seconds}
    path = given.results / "gpu-training.json"
    train(given.networks, given.ways, device, path, preset=given.preset, **counts)
    path = given.results / "gpu-loading.json"
    loading.run(device, path, **counts, workers=WORKERS)
    processes = torch.cuda.device_count() if device.type == "cuda" else 2
    if processes == 1:
        print("One GPU: gpu-distributed.json is not written.")
        return
    distributed.run(
        [name for name in given.networks if name in distributed.NETWORKS],
        device.type,
        given.results / "gpu-distributed.json",
        processes=processes,
        preset=given.preset,
        rounds=given.rounds,
        steps=max(1, round(given.seconds)),
    )


if __name__ == "__main__":
    main()
