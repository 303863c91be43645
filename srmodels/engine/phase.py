"""One phase of a recipe, pretraining or adversarial training, from networks to files.

`train_phase`, which a stage calls, runs a `Trainer` (the loop, in `train`) and writes the files.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from srmodels import snapshot
from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.data.batches.unpaired import UnpairedSampler
from srmodels.data.degradation.degrade import degrade
from srmodels.data.store.reader import PatchStore
from srmodels.distributed import collectives
from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.checkpoint.rng_state import seed_all
from srmodels.engine.early_stopping import EarlyStoppingSettings
from srmodels.engine.fabric import Fabric
from srmodels.engine.precision import fabric_for
from srmodels.engine.settings import RunSettings, TrainSettings, members_without_crops
from srmodels.engine.state import State, TurnsOf
from srmodels.engine.tracking.curves import write_curves, write_metrics
from srmodels.engine.tracking.record import Logger
from srmodels.engine.train import Trainer
from srmodels.engine.validation import Picture, first_pictures, validator
from srmodels.errors import ConfigError
from srmodels.resize.tensors import reduce

log = logging.getLogger(__name__)

_SEEDS = 2**32  # seeds in params.yaml are smaller
_SHARE_TAG = 20  # makes the random numbers differ from those of the batch


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Settings and files of a phase."""

    name: str  # "pretrain" or "gan"; names curves and metrics
    settings: TrainSettings  # steps, batch, optimizer
    seed: int  # for batches and random starts
    scale: int  # HR side / LR side
    patches: Path  # the folder that the stage `patches` wrote
    checkpoints: Checkpoints  # of this configuration
    network: str  # the generator's module name, for the snapshot
    network_settings: object  # the generator's settings, for the snapshot
    weights: Path  # the snapshot to write
    best: Path  # the snapshot with the best validation score
    paired: bool = True  # whether LR and HR of a batch show the same photograph
    # LPIPS of SR and HR. With it, validations compute LPIPS, and it picks the best: in a GAN phase
    # PSNR falls while images improve. None: PSNR decides.
    lpips: Callable[[Picture, Picture], float] | None = None
    # share of a batch that keeps the LR of the patch store, if that is the user's own; None: it is
    # made of HR, and `settings.degradation` replaces it
    own_lr_share: float | None = None

    @property
    def watched(self) -> EarlyStoppingSettings:
        """The validation score that decides which weights are the best."""
        if self.lpips is None:
            return EarlyStoppingSettings()
        return EarlyStoppingSettings(metric="validation_lpips", mode="min")


def sampler_for(phase: Phase) -> PatchSampler | UnpairedSampler:
    """The source of this process's batches; checks that batch and patches fit."""
    processes = collectives.world_size()
    problem = members_without_crops(
        phase.settings, phase.network_settings, where="training", processes=processes
    )
    if problem:
        raise ConfigError(problem)
    return (PatchSampler if phase.paired else UnpairedSampler)(
        PatchStore(phase.patches / "train"),
        patch_size=phase.settings.patch_size,
        batch_size=phase.settings.batch_size,
        seed=phase.seed,
        scale=phase.scale,
        permute_colours=phase.settings.permute_colours,
        colour_jitter=phase.settings.colour_jitter,
        part=collectives.local_slice(phase.settings.batch_size, "training.batch_size"),
    )


def lr_maker(phase: Phase) -> Callable[[Batch, int], Tensor] | None:
    """Makes LR of a batch from HR at a step; None where all LR comes from the patch store."""
    settings, share = phase.settings, phase.own_lr_share
    bicubic = settings.degradation == "bicubic"
    if share == 1 and not bicubic:
        log.warning("%s: degradation has no effect, since data.lr_share is 1", phase.name)
    if share == 1 or (share is None and bicubic):
        return None
    # an image's random numbers depend on the images before it, so each process has its own seed
    seed = phase.seed + collectives.rank() * _SEEDS

    def make(batch: Batch, step: int) -> Tensor:
        if bicubic:
            lr = reduce(batch.hr, phase.scale)
            if not settings.colour_jitter:  # which lets values leave [0, 1]
                lr = lr.clamp(0, 1).mul(255).add(0.5).floor() / 255
        else:
            lr = degrade(batch.hr, settings.second_order, phase.scale, seed=seed, step=step)
        if share is None:
            return lr
        drawn = np.random.default_rng([seed, step, _SHARE_TAG]).random(len(lr))
        own = torch.from_numpy(drawn < share).to(lr.device)
        mixed = torch.where(own[:, None, None, None], batch.lr, lr)
        return mixed.contiguous(memory_format=torch.channels_last)

    return make


def set_up(
    fabric: Fabric, phase: Phase, networks: Callable[[], Mapping[str, nn.Module]], turns_of: TurnsOf
) -> tuple[PatchSampler, State]:
    """This process's batches, and the state before the first step."""
    seed_all(phase.seed)
    source = sampler_for(phase)
    keep_best = phase.watched if phase.best else None
    return source, State(fabric, networks(), turns_of, phase.settings, keep_best=keep_best)


def train_phase(
    phase: Phase,
    networks: Callable[[], Mapping[str, nn.Module]],
    turns_of: TurnsOf,
    *,
    upscale: Callable[[nn.Module, Picture], Picture],
    run: RunSettings,
    logger: Logger,
) -> None:
    """Trains one phase and writes its weights, curves (plots/) and metrics (metrics/).

    `networks` makes the networks by role, after seeding; `turns_of` the objective's turns from the
    wrapped networks; `upscale` runs a generator on a whole LR picture, for validation. All
    processes exit together; only rank 0 writes files.
    """
    fabric = fabric_for(run, phase.settings.precision)
    with (
        collectives.exit_together(),
        phase.checkpoints.lock() if collectives.is_main_process() else nullcontext(),
    ):
        source, state = set_up(fabric, phase, networks, turns_of)
        trainer = Trainer(
            state,
            checkpoints=phase.checkpoints,
            validate=validator(
                phase.patches / "validation", phase.scale, upscale, lpips=phase.lpips
            ),
            make_lr=lr_maker(phase),
            logger=logger,
            run=run,
        )
        if collectives.is_main_process():
            for name, picture in first_pictures(phase.patches / "validation", phase.scale).items():
                logger.picture(name, picture, 0)
        generator = trainer.run(source, title=phase.name)
        if collectives.is_main_process():
            _write(phase, generator, state, trainer.threads.changes)
            phase.checkpoints.remove()


def _write(phase: Phase, generator: nn.Module, state: State, threads: Mapping[str, int]) -> None:
    def save(path: Path) -> None:
        generator.to(memory_format=torch.contiguous_format)
        snapshot.save(path, generator, name=phase.network, settings=phase.network_settings)

    metrics: dict[str, object] = {
        "steps": state.step,
        "parameters": {
            role: sum(parameter.numel() for parameter in network.parameters())
            for role, network in state.networks.items()
        },
        "precision": state.precision.summary(),  # "auto" is another on other machines
        **state.scores,
    }
    save(phase.weights)
    assert state.best is not None, "the last step validates"
    generator.load_state_dict(state.best.weights)
    save(phase.best)
    metrics["best_step"] = state.best.step
    if len(threads) > 1:
        metrics["threads_from_step"] = threads  # another number would give other last digits
    metric = (phase.settings.early_stopping or phase.watched).metric
    metrics[metric.replace("validation", "best")] = state.best.scores[metric]
    write_curves(phase.name, Path("plots"), phase.checkpoints.folder)
    write_metrics(phase.name, metrics)
