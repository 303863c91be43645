"""What the processes of test_gradients.py do; rank 0 leaves what it found in FOLDER/found.json."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from srmodels.data.batches.batch import Batch
from srmodels.distributed import collectives, gradients
from srmodels.distributed.gradients import GradientMeans
from srmodels.engine.precision import fabric_for
from srmodels.engine.settings import RunSettings
from srmodels.engine.step import take_step
from tests.engine.test_accumulate import players


def _leave(folder: Path, found: object) -> None:
    if collectives.is_main_process():
        folder.mkdir(exist_ok=True)
        (folder / "found.json").write_text(json.dumps(found))


def _join() -> None:
    fabric_for(RunSettings(device="cpu", answer_seconds=20), "32-true")


def _exchange(parameters: Sequence[nn.Parameter], loss: Tensor) -> None:
    means = GradientMeans(parameters)
    with means.during_backward():
        loss.backward()
    means.wait()


def order(folder: Path) -> None:
    """Parameters whose gradients are ready in another order in each process, one per bucket."""
    _join()
    gradients.BUCKET_BYTES = 1
    rank = collectives.rank()
    parameters = [nn.Parameter(torch.ones(3)) for _ in range(4)]
    total = torch.zeros(3)
    for number, parameter in enumerate(parameters if rank else parameters[::-1], 1):
        total = (total + number * parameter) * 2  # backward reaches the last one first
    _exchange(parameters, total.sum())
    _leave(folder, [parameter.grad.tolist() for parameter in parameters])


def unused(folder: Path) -> None:
    """A parameter without a gradient in the middle of a bucket, and one alone in a bucket."""
    _join()
    gradients.BUCKET_BYTES = 24
    parameters = [nn.Parameter(torch.ones(3)) for _ in range(4)]
    rank = collectives.rank()
    _exchange(parameters, (rank + 1) * (parameters[1] + parameters[3]).sum())
    _leave(folder, [None if p.grad is None else p.grad.tolist() for p in parameters])


def overlap(folder: Path) -> None:
    """How many exchanges had begun when backward came to the first of six layers."""
    _join()
    gradients.BUCKET_BYTES = 1
    begun: list[int] = []
    network = nn.Sequential(*(nn.Linear(4, 4, bias=False) for _ in range(6)))
    means = GradientMeans([*network.parameters()])
    images = torch.ones(2, 4, requires_grad=True)
    hidden = network[0](images)
    hidden.register_hook(lambda _: begun.append(len(means._exchanges)))
    with means.during_backward():
        network[1:](hidden).sum().backward()
    means.wait()
    _leave(folder, begun)


def accumulate(folder: Path) -> None:
    """Three steps of two players, this process's half of each batch in two parts."""
    torch.set_default_dtype(torch.float64)
    fabric = fabric_for(RunSettings(device="cpu", answer_seconds=20), "32-true")
    networks, turns, optimizers = players(fabric.device)
    rows = collectives.local_slice(8)
    for step in range(3):
        drawn = torch.rand(2, 8, 3, 8, 8, generator=torch.Generator().manual_seed(step))
        lr, hr = (images[rows] for images in drawn)
        batch = Batch(lr=lr, hr=hr, photos=tuple("abcdefgh"[rows]))
        scalars = take_step(fabric, turns, optimizers, batch, shared={}, parts=2)
    weights = [p.flatten().tolist() for network in networks for p in network.parameters()]
    _leave(folder, [weights, {name: float(value) for name, value in scalars.items()}])
