"""A training step of this project's engine and of a plain trainer, for `benchmarks.training`.

The plain trainer is what most public ones are: float32, contiguous, eager, `.item()` for each loss,
crops of PNG files through a DataLoader. Both have the same networks, losses and optimizer. Each
runs in its own process, because they would share the allocator's settings.
"""

import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain import SCALE, PngPatches
from srmodels import models
from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.data.store.reader import PatchStore
from srmodels.engine.optim.ema import EMA
from srmodels.engine.optim.optimizer import OptimSettings, optimizer_for
from srmodels.engine.precision import fabric_for, to_channels_last
from srmodels.engine.prefetch import Prefetcher
from srmodels.engine.settings import RunSettings
from srmodels.engine.step import freeze_all_but, take_step
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.objectives import pixel
from srmodels.objectives.gan import Settings as GanSettings
from srmodels.objectives.gan import gan_turns
from srmodels.objectives.pixel import Settings as PixelSettings
from srmodels.objectives.turn import Turn

BATCH, PATCH = 16, 24
NETWORKS = {
    "SRCNN": "srcnn",
    "SRResNet": "srresnet",
    "SRGAN": "srresnet",
    "EDSR-baseline": "edsr",
    "RRDB-23": "rrdbnet",
}
_LEAST_STEPS = 2


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


def build_networks(work: str) -> dict[str, nn.Module]:
    """The networks of one of `NETWORKS`, by role, with the papers' settings."""
    torch.manual_seed(0)
    names = {"generator": NETWORKS[work]}
    if work == "SRGAN":
        names["discriminator"] = "srgan_discriminator"
    return {
        role: models.build(name, models.settings_class(name)()).train()
        for role, name in names.items()
    }


def build_turns(networks: dict[str, nn.Module], perceptual: Perceptual | None) -> Sequence[Turn]:
    """The turns of a GAN, or without a perceptual loss of a pixel loss."""
    if perceptual is None:
        return pixel.turns(networks, PixelSettings(kind="mse"))
    return gan_turns(networks["generator"], networks["discriminator"], GanSettings(), perceptual)


def random_perceptual(work: str) -> Perceptual | None:
    """SRGAN's, as much work as with ImageNet's weights, without a download; None for others."""
    return Perceptual(PerceptualSettings(weights="random")) if work == "SRGAN" else None


class Plain:
    """A plain trainer."""

    def __init__(self, work: str, folder: Path, device: torch.device) -> None:
        self.device = device
        networks = {role: network.to(device) for role, network in build_networks(work).items()}
        perceptual = random_perceptual(work)
        self._turns = build_turns(networks, perceptual.to(device) if perceptual else None)
        self._optimizers = {
            turn.player: torch.optim.Adam(
                [p for network in turn.networks for p in network.parameters()], lr=1e-4
            )
            for turn in self._turns
        }
        crops = PngPatches(folder / "png", patch_size=PATCH, length=10**9)
        self._batches = {
            count: iter(DataLoader(crops, batch_size=BATCH, num_workers=count)) for count in (0, 2)
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
    """This project's engine."""

    def __init__(self, work: str, folder: Path, device: torch.device) -> None:
        self._fabric = fabric_for(RunSettings(device=device.type), "auto")  # type: ignore[arg-type]
        self.device = self._fabric.device
        networks = {role: to_channels_last(net) for role, net in build_networks(work).items()}
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
        source = PatchSampler(store, patch_size=PATCH, batch_size=BATCH, seed=0, scale=SCALE)
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


def serve(line: Connection, kind: str, work: str, folder: Path, device: torch.device) -> None:
    """Runs in its own process and sends: FLOPs of a step, a `Round` per request, peak bytes.

    A request is (seconds, workers), after the last one None. The peak is the process's resident
    memory, or on CUDA the device's.
    """
    way: Way = (Plain if kind == "plain" else Ours)(work, folder, device)
    with FlopCounterMode(display=False) as counter:
        way.step(0)
    _round(way, 0, 0)
    line.send(counter.get_total_flops())
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
    a, b = (torch.rand(2048, 2048, dtype=dtype, device=device) for _ in range(2))
    images = torch.rand(BATCH, 64, 96, 96, dtype=dtype, device=device)
    images = images.to(memory_format=torch.channels_last)
    layer = to_channels_last(nn.Conv2d(64, 64, 3, padding=1).to(device, dtype))
    rates = []
    with torch.no_grad():
        for work in (partial(torch.mm, a, b), partial(layer, images)):
            with FlopCounterMode(display=False) as counter:
                work()
            spent = []
            for _ in range(30):
                start = time.perf_counter()
                work()
                _finish(device)
                spent.append(time.perf_counter() - start)
            rates.append(counter.get_total_flops() / min(spent))
    line.send(tuple(rates))
