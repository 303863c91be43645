"""Everything that changes during a training, which is what a checkpoint holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from srmodels.engine.checkpoint.rng_state import RNGState
from srmodels.engine.early_stopping import EarlyStopping, EarlyStoppingSettings
from srmodels.engine.fabric import Fabric
from srmodels.engine.nonfinite import BufferBackup, NonFiniteHandler
from srmodels.engine.optim.ema import EMA
from srmodels.engine.optim.optimizer import optimizer_for
from srmodels.engine.precision import PrecisionRecord, to_channels_last
from srmodels.engine.settings import TrainSettings
from srmodels.engine.sync_batch_norm import sync_batch_norm
from srmodels.engine.tracking.record import RunningMeans
from srmodels.objectives.turn import AVERAGE, PERSISTENT, Shared, Turn

TurnsOf = Callable[[Mapping[str, nn.Module], torch.device], Sequence[Turn]]


class PersistentTensors:
    """What an objective's turns leave for the next step, under names that begin "persistent/"."""

    def __init__(self, device: torch.device) -> None:
        self.tensors: Shared = {}
        self._device = device

    def update(self, shared: Shared) -> None:
        """Replaces them by those of a step."""
        self.tensors = {n: tensor for n, tensor in shared.items() if n.startswith(PERSISTENT)}

    def clone(self) -> Shared:
        """Copies that a step may write into."""
        return {name: tensor.clone() for name, tensor in self.tensors.items()}

    def state_dict(self) -> Shared:
        """The tensors by name."""
        return self.tensors

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restores `state_dict` on the device."""
        self.tensors = {name: tensor.to(self._device) for name, tensor in state.items()}


@dataclass(frozen=True)
class Best:
    """The averaged generator's weights (on the CPU) at the best validation so far."""

    step: int
    scores: dict[str, float]
    weights: dict[str, Tensor]


class State:
    """Networks, optimizers, average and counts of one training: what a checkpoint holds (`parts`).

    The learning rate depends on the step alone, and a batch on (seed, step): neither has a state.
    Of `networks`, by role, "generator" is averaged; its weights with the best score of `keep_best`
    are kept (None: they are not).
    """

    def __init__(
        self,
        fabric: Fabric,
        networks: Mapping[str, nn.Module],
        turns_of: TurnsOf,
        settings: TrainSettings,
        *,
        keep_best: EarlyStoppingSettings | None,
    ) -> None:
        self.fabric, self.settings = fabric, settings
        self.networks = {
            role: to_channels_last(sync_batch_norm(network.train()))
            for role, network in networks.items()
        }
        if settings.compiled:
            for network in self.networks.values():
                network.compile()
        wrapped = {role: fabric.setup_module(network) for role, network in self.networks.items()}
        self.ema = EMA(self.networks["generator"], settings.optimizer.ema_decay)
        average = fabric.setup_module(self.ema.network)
        with fabric.autocast():  # so that a perceptual loss stores its weights in this precision
            self.turns = tuple(turns_of({**wrapped, AVERAGE: average}, fabric.device))
        self.optimizers = {}
        for turn in self.turns:
            generates = wrapped["generator"] in turn.networks
            factor = 1.0 if generates else settings.optimizer.discriminator_factor
            optimizer = optimizer_for(turn.networks, settings.optimizer, factor=factor)
            self.optimizers[turn.player] = fabric.setup_optimizers(optimizer)
        skips = settings.on_nan == "skip"
        self.nonfinite = NonFiniteHandler(settings.on_nan_limit if skips else 0)
        self.buffer_backup = BufferBackup(self.networks.values()) if skips else None
        self.running_means = RunningMeans(fabric.device)
        self.persistent = PersistentTensors(fabric.device)
        self.precision = PrecisionRecord(fabric.strategy.precision.precision)
        self.stops_early = settings.early_stopping is not None
        watched = settings.early_stopping or keep_best
        self.early_stopping = EarlyStopping(watched) if watched else None
        self.step = 0
        self.scores: dict[str, float] = {}
        self.best: Best | None = None
        self.parts: dict[str, Any] = {
            **{f"networks/{role}": network for role, network in self.networks.items()},
            **{f"optimizers/{player}": adam for player, adam in self.optimizers.items()},
            "ema": self.ema.network,
            "precision": self.precision,
            "loss_scale": fabric.strategy.precision,  # float16's
            "persistent": self.persistent,
            "nonfinite": self.nonfinite,
            "running_means": self.running_means,
            **({"early_stopping": self.early_stopping} if self.early_stopping else {}),
            "rng": RNGState(),
        }

    def validated(self, scores: dict[str, float]) -> None:
        """Takes the scores of the averaged generator; keeps its weights if they are the best."""
        self.scores = scores
        if self.early_stopping is None:
            return
        self.early_stopping.update(scores)
        if self.early_stopping.improved or self.best is None:
            weights = self.ema.network.state_dict()
            copies = {name: weight.detach().cpu().clone() for name, weight in weights.items()}
            self.best = Best(self.step, scores, copies)

    @property
    def exhausted(self) -> bool:
        """Whether early stopping ends the training here."""
        return self.stops_early and bool(self.early_stopping and self.early_stopping.exhausted)

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors by name."""
        return {
            "step": self.step,
            "scores": self.scores,
            "best": vars(self.best) if self.best else None,
            "parts": {name: part.state_dict() for name, part in self.parts.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores `state_dict`."""
        for name, part in self.parts.items():
            part.load_state_dict(state["parts"][name])
        self.best = Best(**state["best"]) if state["best"] else None
        self.step, self.scores = state["step"], state["scores"]
