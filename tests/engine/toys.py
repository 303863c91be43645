"""The smallest things that train: for testing the engine, not the networks."""

from collections.abc import Mapping

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from srmodels.data.batches.batch import Batch
from srmodels.engine.early_stopping import EarlyStoppingSettings
from srmodels.engine.optim.optimizer import OptimSettings
from srmodels.engine.precision import _MixedPrecision, fabric_for
from srmodels.engine.settings import RunSettings, TrainSettings
from srmodels.engine.state import State
from srmodels.engine.train import Trainer
from srmodels.objectives.turn import Losses, Shared, Turn


class Toy(nn.Module):
    """Batch norm (buffers), a convolution and nothing else: (N, 3, H, W) to the same."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, lr: Tensor) -> Tensor:
        return self.norm(self.conv(lr))


class ToySource:
    """A batch that depends on the step alone; `poison` are the steps whose HR holds a NaN."""

    def __init__(self, *poison: int) -> None:
        self.poison = poison

    def batch(self, step: int) -> Batch:
        generator = torch.Generator().manual_seed(step)
        lr = torch.rand(4, 3, 8, 8, generator=generator)
        hr = 1 - lr
        if step in self.poison:
            hr[0, 0, 0, 0] = torch.nan
        return Batch(lr=lr, hr=hr, photos=("cat.png", "dog.png"))


class RecordingLogger:
    """A logger that keeps all scalars."""

    def __init__(self) -> None:
        self.points: list[tuple[int, dict[str, float]]] = []

    def begin(self, step: int, points: object) -> None:
        """Does nothing."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        self.points.append((step, dict(scalars)))

    def picture(self, name: str, image: object, step: int) -> None:
        """Does nothing."""


def fabric_on(
    device: torch.device, precision: str = "32-true", *, scale: float = 2.0**16
) -> Fabric:
    """The engine's Fabric; in "16-mixed", which is refused on a CPU, with a loss scale to begin."""
    if precision != "16-mixed":
        return fabric_for(RunSettings(device=device.type), precision)
    fabric_for(RunSettings(device=device.type), "32-true")  # sets what holds for the process
    scaler = torch.amp.GradScaler(device.type, init_scale=scale)
    plugin = _MixedPrecision(precision, device.type, scaler)
    fabric = Fabric(accelerator=device.type, devices=1, plugins=[plugin])
    fabric.launch()
    return fabric


def two_player_turns(networks: Mapping[str, nn.Module], _device: object = None) -> tuple[Turn, ...]:
    generator, discriminator = networks["generator"], networks["discriminator"]

    def generate(batch: Batch, shared: Shared) -> Losses:
        mean = shared.get("persistent/mean", batch.lr.mean())
        shared["persistent/mean"] = (
            0.9 * mean + 0.1 * batch.lr.mean()
        )  # outlives a step, as a history does
        sr = generator(batch.lr) + shared["persistent/mean"]
        shared["sr"] = sr.detach()
        return {
            "pixel": (sr - batch.hr).abs().mean(),
            "adversarial": -0.01 * discriminator(sr).mean(),
        }

    def discriminate(batch: Batch, shared: Shared) -> Losses:
        return {"adversarial": discriminator(shared["sr"]).square().mean()}

    return (
        Turn("generator", (generator,), generate),
        Turn("discriminator", (discriminator,), discriminate),
    )


def trainer(
    fabric,
    checkpoints,
    *,
    steps: int = 10,
    logger: RecordingLogger | None = None,
    early_stopping: EarlyStoppingSettings | None = None,
    validate=None,
    keep_best=None,
    on_nan: str = "stop",
    on_nan_limit: int = 10,
    run: RunSettings | None = None,
    compiled: bool = False,
) -> Trainer:
    torch.manual_seed(0)

    def weight(network: nn.Module) -> tuple[dict[str, float], dict[str, NDArray[np.uint8]]]:
        return {"validation_weight": float(network.conv.weight.sum())}, {}

    settings = TrainSettings(
        steps=steps,
        log_every=3,
        validate_every=4,
        optimizer=OptimSettings(learning_rate=1e-2, ema_decay=0.9, schedule="cosine"),
        early_stopping=early_stopping,
        on_nan=on_nan,
        on_nan_limit=on_nan_limit,
        compiled=compiled,
    )
    networks = {"generator": Toy(), "discriminator": Toy()}
    return Trainer(
        State(fabric, networks, two_player_turns, settings, keep_best=keep_best),
        checkpoints=checkpoints,
        validate=validate or weight,
        logger=logger or RecordingLogger(),
        run=run or RunSettings(checkpoint_seconds=0),
    )
