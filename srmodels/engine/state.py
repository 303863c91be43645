"""Everything of a training that changes while it goes on, and so everything a checkpoint holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from srmodels.engine.checkpoint.rng_state import rng_state, set_rng_state
from srmodels.engine.early_stopping import EarlyStopping, EarlyStoppingSettings
from srmodels.engine.fabric import Fabric
from srmodels.engine.optim.ema import EMA
from srmodels.engine.optim.optim import optimizer_for
from srmodels.engine.precision import to_channels_last
from srmodels.engine.settings import TrainSettings
from srmodels.engine.skip_nonfinite import BufferBackup, NonFiniteHandler
from srmodels.engine.sync_batch_norm import sync_batch_norm
from srmodels.engine.tracking.record import RunningMeans
from srmodels.objectives.turn import Memo, Turn

__all__ = ["Best", "State"]


@dataclass(frozen=True)
class Best:
    """The averaged generator that validated best so far.

    Attributes:
        step: After how many steps.
        scores: What it scored.
        weights: Its state dict, on the CPU.
    """

    step: int
    scores: dict[str, float]
    weights: dict[str, Tensor]


class State:
    """Networks, optimizers, average and counts of one training.

    The learning rate is a function of the step, and a batch one of (seed, step), so that neither
    has a state.

    Args:
        fabric: Device and precision.
        networks: By role ("generator", ...); the generator is the one averaged.
        turns_of: Makes the objective's turns from the networks as they will be called.
        settings: Optimizer, early stopping, what a NaN does.
        judged: Whether the generator's scores say how good it is.

    Attributes:
        step: Steps done.
        kept: What the objective's turns left for the next step.
        buffers: Puts the networks' buffers back after a step that is skipped; None where none is.
        scores: Of the last validation.
        best: None where neither `judged` nor early stopping asks for it, and before a validation.
    """

    def __init__(
        self,
        fabric: Fabric,
        networks: Mapping[str, nn.Module],
        turns_of: Callable[[Mapping[str, nn.Module]], Sequence[Turn]],
        settings: TrainSettings,
        *,
        judged: bool,
    ) -> None:
        self.fabric = fabric
        self.networks = {
            role: to_channels_last(sync_batch_norm(each.train())) for role, each in networks.items()
        }
        if settings.compiled:
            for network in self.networks.values():
                network.compile()
        self.wrapped = {role: fabric.setup_module(each) for role, each in self.networks.items()}
        with fabric.autocast():  # a perceptual loss keeps its weights in the training's precision
            self.turns = tuple(turns_of(self.wrapped))
        self.optimizers = {
            turn.player: fabric.setup_optimizers(optimizer_for(turn.networks, settings.optimizer))
            for turn in self.turns
        }
        self.average = EMA(self.networks["generator"], settings.optimizer.ema_decay)
        self.tally = RunningMeans()
        self.skips = NonFiniteHandler(settings.on_nan_limit if settings.on_nan == "skip" else 0)
        self.buffers = (
            BufferBackup([*self.networks.values()]) if settings.on_nan == "skip" else None
        )
        watched = settings.early_stopping or (EarlyStoppingSettings() if judged else None)
        self.patience = EarlyStopping(watched) if watched else None
        self.stops_early = settings.early_stopping is not None
        self.step = 0
        self.kept: Memo = {}
        self.scores: dict[str, float] = {}
        self.best: Best | None = None

    def validated(self, scores: dict[str, float]) -> None:
        """Takes the scores of the average as it stands, and keeps it if it is the best."""
        self.scores = scores
        if self.patience is None:
            return
        self.patience.update(scores)
        if self.patience.gained or self.best is None:
            weights = self.average.network.state_dict()
            copied = {name: each.detach().cpu().clone() for name, each in weights.items()}
            self.best = Best(self.step, scores, copied)

    @property
    def exhausted(self) -> bool:
        """Whether early stopping ends the training here."""
        return self.stops_early and self.patience is not None and self.patience.exhausted

    def dump(self) -> dict[str, Any]:
        """Plain values and tensors, by name."""
        return {
            "step": self.step,
            "networks": {role: each.state_dict() for role, each in self.networks.items()},
            "average": self.average.network.state_dict(),
            "optimizers": {player: each.state_dict() for player, each in self.optimizers.items()},
            "precision": self.fabric.strategy.precision.state_dict(),  # float16's loss scale
            "kept": self.kept,
            "patience": self.patience.state() if self.patience else None,
            "best": vars(self.best) if self.best else None,
            "tally": self.tally.state(),
            "skips": self.skips.state(),
            "scores": self.scores,
            "random": rng_state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `dump` gave."""
        for role, network in self.networks.items():
            network.load_state_dict(state["networks"][role])
        self.average.network.load_state_dict(state["average"])
        for player, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][player])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        if self.patience:
            self.patience.load(state["patience"])
        self.best = Best(**state["best"]) if state["best"] else None
        device = self.fabric.device
        self.kept = {name: each.to(device) for name, each in state["kept"].items()}
        self.tally.load(state["tally"], device)
        self.skips.load(state["skips"])
        self.step, self.scores = state["step"], state["scores"]
        set_rng_state(state["random"])
