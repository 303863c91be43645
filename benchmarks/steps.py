"""A training step of this project's engine and of a plain trainer, for `benchmarks.training`.

The plain trainer is what most public ones are: float32, contiguous, eager, `.item()` for each loss,
crops of PNG files through a DataLoader. Both have the same networks, losses and optimizer. Each
runs in its own process, because they would share the allocator's settings.
"""

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.networks import BATCH, Size, build_networks, build_turns, random_perceptual
from benchmarks.plain import SCALE, PngPatches
from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.data.store.reader import PatchStore
from srmodels.engine.optim.ema import EMA
from srmodels.engine.optim.optimizer import OptimSettings, optimizer_for
from srmodels.engine.precision import fabric_for, to_channels_last
from srmodels.engine.prefetch import Prefetcher
from srmodels.engine.settings import RunSettings
from srmodels.engine.step import freeze_all_but, take_step

_LEAST_STEPS = 2
_DEFAULT = Size()
_WARM_UP = (1, 5)  # rounds of two steps, which choose kernels; on a CPU, on others


@dataclass(frozen=True)
class Round:
    """Steps of a round, its seconds, and the seconds that steps waited for data."""

    steps: int
    seconds: float
    waited: float


class Way(Protocol):
    """A trainer."""

    device: torch.device

    def step(self, workers: int) -> float:
        """Does a training step; returns the seconds that it waited for its batch."""
        ...


class Plain:
    """A plain trainer, with the DataLoader's arguments by its number of workers."""

    loaders: ClassVar[Mapping[int, Mapping[str, Any]]] = {0: {}, 2: {}}

    def __init__(
        self, work: str, folder: Path, device: torch.device, size: Size = _DEFAULT
    ) -> None:
        self.device = device
        networks = {
            role: network.to(device) for role, network in build_networks(work, size.preset).items()
        }
        self.generator = networks["generator"]
        perceptual = random_perceptual(work)
        self._turns = build_turns(networks, perceptual.to(device) if perceptual else None)
        self._optimizers = {
            turn.player: torch.optim.Adam(
                [p for network in turn.networks for p in network.parameters()], lr=1e-4
            )
            for turn in self._turns
        }
        crops = PngPatches(folder / "png", patch_size=size.patch, length=10**9)
        self._batches = {
            count: iter(DataLoader(crops, batch_size=size.batch, num_workers=count, **arguments))
            for count, arguments in self.loaders.items()
        }

    def step(self, workers: int) -> float:
        """A tutorial's step, with the discriminator frozen in the generator's turn."""
        start = time.perf_counter()
        lr, hr = (images.to(self.device) for images in next(self._batches[workers]))
        waited = time.perf_counter() - start
        shared: dict[str, torch.Tensor] = {}
        for turn in self._turns:
            freeze_all_but(turn.networks, self._turns)
            self._optimizers[turn.player].zero_grad()
            terms = turn.losses(Batch(lr=lr, hr=hr, photos=()), shared)
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
            self._optimizers[turn.player].step()
            for term in terms.values():
                term.item()
        return waited


class Ours:
    """This project's engine.

    `mode` is torch.compile's (None: the networks are not compiled). Without `deterministic`, CUDA
    may choose kernels that give other last digits each time, which a training never does.
    """

    def __init__(
        self,
        work: str,
        folder: Path,
        device: torch.device,
        size: Size = _DEFAULT,
        *,
        mode: str | None = None,
        deterministic: bool = True,
    ) -> None:
        self._fabric = fabric_for(RunSettings(device=device.type), "auto")  # type: ignore[arg-type]
        if not deterministic:
            torch.use_deterministic_algorithms(mode=False)
        self.device, self.compiled = self._fabric.device, mode is not None
        networks = {
            role: to_channels_last(net) for role, net in build_networks(work, size.preset).items()
        }
        if mode is not None:
            for network in networks.values():
                network.compile(mode=mode)
        wrapped = {role: self._fabric.setup_module(net) for role, net in networks.items()}
        perceptual = random_perceptual(work)
        with self._fabric.autocast():
            self._turns = build_turns(
                wrapped, perceptual.placed(self.device) if perceptual else None
            )
        self._optimizers = {
            turn.player: self._fabric.setup_optimizers(
                optimizer_for(turn.networks, OptimSettings())
            )
            for turn in self._turns
        }
        self._generator = networks["generator"]
        self._average = EMA(self._generator, 0.999)
        store = PatchStore(folder / "raw" / "train")
        source = PatchSampler(
            store, patch_size=size.patch, batch_size=size.batch, seed=0, scale=SCALE
        )
        self._prefetcher = Prefetcher(source.batch, range(10**6), device=self.device)
        self._batches: Iterator[tuple[int, Batch]] = iter(self._prefetcher)

    def step(self, workers: int) -> float:  # noqa: ARG002 - for the plain trainer
        """The engine's step and the update of the averaged weights."""
        step, batch = next(self._batches)
        shared = {"step": torch.tensor(step)}
        take_step(self._fabric, self._turns, self._optimizers, batch, shared=shared)
        self._average.update(self._generator, step)
        return self._prefetcher.pop_wait()


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _round(way: Way, seconds: float, workers: int) -> Round:
    start, steps, waited = time.perf_counter(), 0, 0.0
    while steps < _LEAST_STEPS or time.perf_counter() - start < seconds:
        waited += way.step(workers)
        steps += 1
    _finish(way.device)
    return Round(steps, time.perf_counter() - start, waited)


def _peak_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def serve(line: Connection, make: Callable[[], Way], first_workers: int = 0) -> None:
    """Runs in its own process and sends: FLOPs of a step, a `Round` per request, peak bytes.

    A request is (seconds, workers), after the last one None. FLOPs of compiled networks are not
    counted (0). The peak is the process's resident memory, or on CUDA the device's.
    """
    way, flops = make(), 0
    if not getattr(way, "compiled", False):
        with FlopCounterMode(display=False) as counter:
            way.step(first_workers)
        flops = counter.get_total_flops()
    for _ in range(_WARM_UP[way.device.type != "cpu"]):
        _round(way, 0, first_workers)
    line.send(flops)
    for seconds, workers in iter(line.recv, None):
        line.send(_round(way, seconds, workers))
    line.send(_peak_bytes(way.device))


def fastest(line: Connection, device: torch.device) -> None:
    """Sends the best FLOP/s of a matrix product and of a convolution; runs in its own process."""
    fabric = fabric_for(RunSettings(device=device.type), "auto")  # type: ignore[arg-type]
    with fabric.autocast():
        dtype = (
            torch.get_autocast_dtype(device.type)
            if torch.is_autocast_enabled(device.type)
            else None
        )
    # a GPU needs larger products than a CPU, and starts the next one before the last one ends
    side, count = (2048, 1) if device.type == "cpu" else (8192, 20)
    a, b = (torch.rand(side, side, dtype=dtype, device=device) for _ in range(2))
    images = torch.rand(BATCH, 64, 96, 96, dtype=dtype, device=device)
    images = images.to(memory_format=torch.channels_last)
    layer = to_channels_last(nn.Conv2d(64, 64, 3, padding=1).to(device, dtype))
    rates = []
    with torch.no_grad():
        for work in (partial(torch.mm, a, b), partial(layer, images)):
            with FlopCounterMode(display=False) as counter:
                work()
            spent: list[float] = []
            while len(spent) < 5 or (len(spent) < 30 and sum(spent) * count < 3):
                start = time.perf_counter()
                for _ in range(count):
                    work()
                _finish(device)
                spent.append((time.perf_counter() - start) / count)
            rates.append(counter.get_total_flops() / min(spent))
    line.send(tuple(rates))
