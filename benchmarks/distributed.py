"""Training steps of several processes, by when their gradients are exchanged.

`python -m benchmarks.distributed` trains networks of the papers' sizes with two processes, on a CPU
of one thread each, on CUDA of one GPU each. Gradients are exchanged after each backward pass, by
PyTorch's DistributedDataParallel, and in buckets during backward (ours), in turn in one run. One
process alone with as many crops as each of them has shows what is lost. `--gigabits 1` puts a
slower link than a machine's own between them (as root, with Linux's `tc`).
"""

import argparse
import json
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from benchmarks.networks import BATCH, PATCH, Size, build_networks, build_turns, size_of
from benchmarks.report import Cell, report
from srmodels.data.batches.batch import Batch
from srmodels.distributed import collectives, gradients
from srmodels.engine import step as engine_step
from srmodels.engine.fabric import Fabric
from srmodels.engine.optim.optimizer import OptimSettings, optimizer_for
from srmodels.engine.precision import fabric_for, to_channels_last
from srmodels.engine.settings import RunSettings
from srmodels.machine import resolve_device
from srmodels.objectives.turn import Turn

SCALE = 4
NETWORKS = ("SRResNet", "EDSR-baseline", "RRDB-23", "SwinIR")
WAYS = ("after backward", "DistributedDataParallel", "ours")


class AfterBackward:
    """In place of `GradientMeans`: one exchange when the backward pass has ended."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self._parameters = parameters

    @contextmanager
    def during_backward(self) -> Iterator[None]:
        """Exchanges all gradients at the end of the block."""
        yield
        collectives.MeanExchange([p.grad for p in self._parameters if p.grad is not None]).wait()

    def wait(self) -> None:
        """Does nothing."""


def _setup(
    fabric: Fabric, work: str, preset: str
) -> tuple[Sequence[Turn], Mapping[str, torch.optim.Optimizer]]:
    networks = {role: to_channels_last(net) for role, net in build_networks(work, preset).items()}
    networks = {role: fabric.setup_module(network) for role, network in networks.items()}
    turns = build_turns(networks, None)
    optimizers = {
        turn.player: fabric.setup_optimizers(optimizer_for(turn.networks, OptimSettings()))
        for turn in turns
    }
    return turns, optimizers


def _steps(fabric: Fabric, work: str, preset: str, batch: Batch) -> dict[str, Callable[[], object]]:
    """A function for each way, which does a step; of one process alone, our way."""
    turns, optimizers = _setup(fabric, work, preset)

    def take(means: type) -> None:
        setattr(engine_step, "GradientMeans", means)  # noqa: B010 - for a type checker
        shared = {"step": torch.tensor(0)}
        engine_step.take_step(fabric, turns, optimizers, batch, shared=shared)

    def take_wrapped(network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad(set_to_none=True)
        with fabric.autocast():
            loss = nn.functional.mse_loss(network(batch.lr).float(), batch.hr)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
        optimizer.step()
        loss.item()

    ways: dict[str, Callable[[], object]] = {"ours": partial(take, gradients.GradientMeans)}
    if collectives.world_size() == 1:
        return ways
    ways["after backward"] = partial(take, AfterBackward)
    (network,) = build_networks(work, preset).values()
    # buffers are equal by seed, and DDP cannot send one that is a view of fewer elements
    wrapped = DistributedDataParallel(
        to_channels_last(network).to(fabric.device), broadcast_buffers=False
    )
    optimizer = optimizer_for((wrapped,), OptimSettings())
    ways["DistributedDataParallel"] = partial(take_wrapped, wrapped, optimizer)
    return ways


def _seconds(work: Callable[[], object], steps: int, device: torch.device) -> float:
    collectives.all_reduce_max(0)  # all processes begin together
    start = time.perf_counter()
    for _ in range(steps):
        work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - start) / steps


def measure(work: str, device: str, rounds: int, steps: int, size: Size) -> None:
    """One process; rank 0 prints each way's seconds per step, and those of an exchange alone."""
    fabric = fabric_for(RunSettings(device=device), "auto")  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(collectives.rank())
    lr, hr = (
        torch.rand(size.batch, 3, side, side, generator=generator).to(fabric.device)
        for side in (size.patch, SCALE * size.patch)
    )
    ways = _steps(fabric, work, size.preset, Batch(lr=lr, hr=hr, photos=()))
    networks = build_networks(work, size.preset).values()
    sizes = [p.numel() for network in networks for p in network.parameters()]
    total = torch.zeros(sum(sizes), device=fabric.device)
    ways["exchange alone"] = lambda: collectives.MeanExchange([total]).wait()
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            seconds = _seconds(way, steps if number else 1, fabric.device)
            if number:  # the first round chooses kernels
                spent[name].append(seconds)
    if collectives.is_main_process():
        found = {name: median(values) for name, values in spent.items()}
        print(json.dumps(found | {"parameters": sum(sizes)}))


def launch(given: Mapping[str, object], processes: int, threads: int) -> dict[str, float]:
    """Runs the processes with arguments of `measure`; what rank 0 printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    place |= {"TORCHELASTIC_RUN_ID": "benchmark", "MASTER_ADDR": "127.0.0.1"}
    place |= {"MASTER_PORT": str(port), "OMP_NUM_THREADS": str(threads)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.distributed", json.dumps(given)],
            env=os.environ | place | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    printed = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        sys.exit("benchmarks.distributed: a process failed. See its output above.")
    values: dict[str, float] = json.loads(printed[0].splitlines()[-1])
    return values


COLUMNS = (
    *("network", "parameters", "crops per process", "one process: steps/s"),
    *(f"{way}: steps/s" for way in WAYS),
    *("speed", "of one process", "exchange: ms"),
)


def run(
    networks: Sequence[str],
    device: str,
    path: Path | None,
    *,
    processes: int,
    preset: str | None,
    rounds: int,
    steps: int,
    gigabits: float | None = None,
) -> None:
    """Measures and prints the table; with a preset, each process has that preset's whole batch."""
    threads = max(1, len(os.sched_getaffinity(0)) // processes)
    rows: list[list[Cell]] = []
    for work in networks:
        size = size_of(work, preset) if preset else Size(batch=BATCH // processes)
        given = {"work": work, "device": device, "rounds": rounds, "steps": steps}
        given |= {"size": asdict(size)}
        alone = launch(given, 1, threads)["ours"]
        found = launch(given, processes, threads)
        cells: list[Cell] = [work, f"{found['parameters'] / 1e6:.1f} M", size.batch]
        cells += [f"{1 / alone:.2f}", *(f"{1 / found[way]:.2f}" for way in WAYS)]
        cells += [f"{found['after backward'] / found['ours']:.2f}x", f"{alone / found['ours']:.0%}"]
        spent = (1000 * found[way] for way in ("exchange alone", "after backward"))
        rows.append([*cells, " of ".join(f"{milliseconds:.0f}" for milliseconds in spent)])
    settings: dict[str, Cell] = {"rounds": rounds, "steps": steps, "processes": processes}
    settings |= {"device": device} | ({"preset": preset} if preset else {"patch_size": PATCH})
    if gigabits:
        settings["gigabits"] = gigabits
    title = f"Training steps of {processes} processes"
    report(title, COLUMNS, rows, settings=settings, path=path)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS[:3])
    parser.add_argument("--device", choices=["auto", "cuda", "cpu"], default="auto")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--preset", help=f"of crops; default: {BATCH} of {PATCH} in all processes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="of a round")
    parser.add_argument("--gigabits", type=float, help="per second, of the link; default: its own")
    parser.add_argument("--json", type=Path, help="where to keep the table")
    given = parser.parse_args()
    if given.gigabits and "SLOW_LINK" not in os.environ:  # a network of its own, for this only
        limit = f"tc qdisc add dev lo root netem rate {given.gigabits}gbit limit 100000"
        command = shlex.join([sys.executable, "-m", "benchmarks.distributed", *sys.argv[1:]])
        slow = f"ip link set lo up && {limit} && SLOW_LINK=1 exec {command}"
        sys.exit(subprocess.run(["unshare", "--net", "sh", "-c", slow], check=False).returncode)
    device, processes = resolve_device(given.device).type, given.processes
    if device == "cuda" and torch.cuda.device_count() < processes:
        sys.exit(
            f"--device: {processes} GPUs are needed (got {torch.cuda.device_count()}). Use cpu."
        )
    run(
        given.networks,
        device,
        given.json,
        processes=processes,
        preset=given.preset,
        rounds=given.rounds,
        steps=given.steps,
        gigabits=given.gigabits,
    )


if __name__ == "__main__":
    if "RANK" in os.environ:
        arguments = json.loads(sys.argv[1])
        measure(**arguments | {"size": Size(**arguments["size"])})
    else:
        main()
