"""Trainings by several processes, as torchrun would launch them, on one CPU or a GPU each."""

import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from srmodels import models, objectives
from srmodels.config import check
from srmodels.data.batches.batch import Batch
from srmodels.distributed import collectives
from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.checkpoint.rng_state import seed_all
from srmodels.engine.early_stopping import EarlyStoppingSettings
from srmodels.engine.optim.optimizer import OptimSettings
from srmodels.engine.precision import fabric_for
from srmodels.engine.settings import RunSettings, TrainSettings
from srmodels.engine.state import State
from srmodels.engine.train import Trainer
from srmodels.errors import DataError, SrmodelsError
from tests.engine.toys import RecordingLogger

BATCH = 4
SRRESNET = {"network": "srresnet", "num_blocks": 1, "channels": 4, "edge_kernel": 3}
SRGAN = {
    "generator": SRRESNET,
    "discriminator": {"network": "srgan_discriminator", "patch_size": 32, "channels": 2},
}
PATCH = SRGAN | {
    "discriminator": {"network": "patch_discriminator", "channels": 4, "num_stages": 2}
}
UP, DOWN = (
    {"network": f"cyclegan_{way}", "num_blocks": 1, "channels": 4, "edge_kernel": 3}
    for way in ("up", "down")
)
DISCRIMINATOR = {"network": "cyclegan_discriminator", "channels": 4, "num_stages": 1}
CYCLE = {
    "generator": UP,
    "degrader": DOWN,
    "discriminator_hr": DISCRIMINATOR,
    "discriminator_lr": DISCRIMINATOR,
}
CVAE = {"network": "cvae", "channels": 4, "latent_channels": 4, "window_size": 8}
WEIGHTS = {"pixel": 1.0, "perceptual": 0.0, "adversarial": 0.1}
GAN = {"weights": WEIGHTS, "perceptual": None}

TRAININGS = {  # name: networks by role, objective, its settings
    "pixel": ({"generator": SRRESNET}, "pixel", {}),
    "vanilla": (SRGAN, "gan", GAN | {"kind": "vanilla", "r1": 1.0, "r1_every": 3}),
    "least_squares": (PATCH, "gan", GAN | {"kind": "least_squares", "shift": 3}),
    "relativistic": (SRGAN, "gan", GAN | {"kind": "relativistic_average"}),
    "artifact": (SRGAN, "gan", GAN | {"weights": WEIGHTS | {"artifact": 10.0}}),
    "cycle": (CYCLE, "cycle", {"pool_size": 6, "shift": 3}),
    "elbo": ({"generator": CVAE}, "elbo", {"free_bits": 0.5, "warmup_steps": 5}),
}


class Part:
    """This process's part of batches that depend on the step alone; `at` tells of each step."""

    def __init__(self, at: Callable[[int], None] = lambda step: None) -> None:
        self.at = at

    def batch(self, step: int) -> Batch:
        self.at(step)
        generator = torch.Generator().manual_seed(step)
        coarse = torch.rand(BATCH, 3, 2, 2, generator=generator)
        hr, lr = (
            nn.functional.interpolate(coarse, (side, side), mode="bicubic") for side in (32, 8)
        )
        rows = collectives.local_slice(BATCH)
        return Batch(lr=lr[rows].clamp(0, 1), hr=hr[rows].clamp(0, 1), photos=("cat.png",))


def built(roles: Mapping[str, Mapping[str, object]]) -> dict[str, nn.Module]:
    networks = {}
    for role, section in roles.items():
        name = section["network"]
        values = {key: value for key, value in section.items() if key != "network"}
        networks[role] = models.build(name, models.settings_class(name)(**values))
    return networks


def trainer(name: str, folder: Path, *, steps: int, run: RunSettings) -> Trainer:
    fabric = fabric_for(run, "32-true")
    roles, objective, values = TRAININGS[name]
    settings = check(values, objectives.settings_class(objective), name)
    seed_all(0)
    folder.mkdir(parents=True, exist_ok=True)
    training = TrainSettings(
        steps=steps,
        batch_size=BATCH,
        log_every=1,
        validate_every=5,
        optimizer=OptimSettings(learning_rate=1e-4, ema_decay=0.9),
    )
    return Trainer(
        State(
            fabric,
            built(roles),
            lambda networks, _: objectives.turns(objective, networks, settings),
            training,
            keep_best=EarlyStoppingSettings(),
        ),
        checkpoints=Checkpoints(folder),
        validate=lambda network: (
            {"validation_psnr_y": float(sum(each.abs().sum() for each in network.parameters()))},
            {},
        ),
        logger=RecordingLogger(),
        run=run,
    )


def losses(folder: Path, device: str) -> None:
    """Trains everything for 20 steps; leaves NAME/losses.csv and NAME/weights.safetensors.

    In float64, so that rounding has no time to grow: what differs then is a fault.
    """
    torch.set_default_dtype(torch.float64)
    for name in TRAININGS:
        train(folder / name, device, name, steps=20)


def train(
    folder: Path,
    device: str = "cpu",
    name: str = "cycle",
    *,
    steps: int = 30,
    at: Callable[[int], None] | None = None,
) -> None:
    run = RunSettings(device=device, checkpoint_steps=6, checkpoint_seconds=1e9, answer_seconds=20)
    training = trainer(name, folder, steps=steps, run=run)
    generator = training.run(Part(at or (lambda step: None)), title=name)
    if collectives.is_main_process():
        generator.to(memory_format=torch.contiguous_format)
        save_file(generator.state_dict(), folder / "weights.safetensors")


def killed(folder: Path, step: int, device: str = "cpu") -> None:
    """As `train`; the last process is killed when it comes to a step."""

    def at(now: int) -> None:
        if _here(now, step):
            os.kill(os.getpid(), signal.SIGKILL)

    train(folder, device, at=at)


def signalled(folder: Path, step: int, device: str) -> None:
    """As `train`; SLURM's signal comes to the last process alone."""

    def at(now: int) -> None:
        if _here(now, step):
            signal.raise_signal(signal.SIGUSR1)

    train(folder, device, at=at)


def failing(folder: Path, step: int) -> None:
    """As `train`; the last process cannot read a batch."""

    def at(now: int) -> None:
        if _here(now, step):
            raise DataError("data/patches: no patch for this test")

    train(folder, at=at)


def _here(now: int, step: int) -> bool:
    return now == step and collectives.rank() == collectives.world_size() - 1


def _process(
    work: Callable[..., None], arguments: tuple[object, ...], place: Mapping[str, str], logs: Path
) -> None:
    os.environ |= place
    torch.set_num_threads(1)
    sys.stderr = logs.open("w")
    try:
        with collectives.exit_together():
            work(*arguments)
    except SrmodelsError as error:
        sys.exit(f"error: {error}")


def run(count: int, work: Callable[..., None], *arguments: object, logs: Path) -> list[int]:
    """Runs work(*arguments) in so many processes.

    Returns:
        Their exit codes, by rank; what they wrote to stderr stands in `logs`/RANK.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    logs.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.engine.processes"])
    place = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "MASTER_PORT": str(port)}
    place |= {"TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "127.0.0.1"}
    processes = []
    for rank in range(count):
        mine = place | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        process = context.Process(target=_process, args=(work, arguments, mine, logs / str(rank)))
        process.start()
        processes.append(process)
    deadline = time.monotonic() + 120
    for process in processes:
        process.join(max(0, deadline - time.monotonic()))
        assert process.exitcode is not None, "a process hangs"
    return [process.exitcode for process in processes]
