"""One phase of a recipe, pretraining or adversarial training, from networks to files."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from srmodels import snapshot
from srmodels.data.batches.paired import PatchSampler, PatchStore
from srmodels.data.batches.unpaired import UnpairedSampler
from srmodels.data.degradation.degrade import degrade
from srmodels.distributed import collectives
from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.checkpoint.rng_state import seed_all
from srmodels.engine.early_stopping import EarlyStoppingSettings
from srmodels.engine.precision import fabric_for
from srmodels.engine.run_settings import RunSettings
from srmodels.engine.settings import TrainSettings, members_without_crops
from srmodels.engine.state import State
from srmodels.engine.tracking.curves import write_curves, write_metrics
from srmodels.engine.tracking.record import Logger
from srmodels.engine.train import Trainer
from srmodels.engine.validation import Picture, first_pictures, validator
from srmodels.errors import ConfigError
from srmodels.objectives.turn import Turn

__all__ = ["Phase", "train_phase"]

log = logging.getLogger(__name__)

_SEEDS = 2**32  # seeds in params.yaml are smaller


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Settings and files of a phase.

    Attributes:
        name: "pretrain" or "gan"; names curves and metrics.
        settings: Steps, batch, optimizer.
        seed: For batches and random starts.
        scale: HR side / LR side.
        patches: The folder that the stage `patches` wrote.
        checkpoints: Of this configuration.
        network: The generator's module name, for the snapshot.
        network_settings: The generator's settings, for the snapshot.
        weights: The snapshot to write.
        paired: Whether LR and HR of a batch show the same photograph.
        best: The snapshot with the best validation score.
        lpips: LPIPS of SR and HR. With it, validations compute LPIPS, and it picks the best:
            in a GAN phase PSNR falls while images improve. None: PSNR decides.
    """

    name: str
    settings: TrainSettings
    seed: int
    scale: int
    patches: Path
    checkpoints: Checkpoints
    network: str
    network_settings: object
    weights: Path
    paired: bool = True
    best: Path
    lpips: Callable[[Picture, Picture], float] | None = None

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


def degrader_of(phase: Phase) -> Callable[[Tensor, int], Tensor] | None:
    """Makes LR from HR at a step; None where LR comes from the patch store."""
    if phase.settings.degradation == "bicubic":
        return None
    settings = phase.settings.second_order
    # an image's random numbers depend on the images before it, so each process has its own seed
    seed = phase.seed + collectives.rank() * _SEEDS
    return lambda hr, step: degrade(hr, settings, phase.scale, seed=seed, step=step)


def train_phase(
    phase: Phase,
    networks: Callable[[], Mapping[str, nn.Module]],
    turns_of: Callable[[Mapping[str, nn.Module], torch.device], Sequence[Turn]],
    *,
    upscale: Callable[[nn.Module, Picture], Picture],
    run: RunSettings,
    logger: Logger,
) -> None:
    """Trains one phase and writes its weights, curves (plots/) and metrics (metrics/).

    Only rank 0 writes files. All processes exit together.

    Args:
        phase: Settings and files.
        networks: Makes the networks by role; called after seeding.
        turns_of: Makes the objective's turns from the wrapped networks.
        upscale: Runs a generator on a whole LR picture, for validation.
        run: Device and checkpoint interval.
        logger: Gets all scalars and sample pictures.

    Raises:
        TrainingError: Another process trains this configuration, or `Trainer.run` failed.
        ConfigError: The processes cannot divide the batch.
    """
    fabric = fabric_for(run, phase.settings.precision)
    with (
        collectives.exit_together(),
        phase.checkpoints.lock() if collectives.is_main_process() else nullcontext(),
    ):
        seed_all(phase.seed)
        source = sampler_for(phase)
        by_role = networks()
        trainer = Trainer(
            fabric,
            by_role,
            lambda wrapped: turns_of(wrapped, fabric.device),
            phase.settings,
            checkpoints=phase.checkpoints,
            validate=validator(
                phase.patches / "validation", phase.scale, upscale, lpips=phase.lpips
            ),
            degrade=degrader_of(phase),
            keep_best=phase.watched,
            logger=logger,
            run=run,
        )
        if collectives.is_main_process():
            for name, picture in first_pictures(phase.patches / "validation", phase.scale).items():
                logger.picture(name, picture, 0)
        generator = trainer.run(source, title=phase.name)
        if collectives.is_main_process():
            _write(phase, by_role, generator, trainer.state)
            phase.checkpoints.remove()


def _write(
    phase: Phase, networks: Mapping[str, nn.Module], generator: nn.Module, state: State
) -> None:
    """Writes weights, curves and metrics of a finished training."""

    def save(path: Path) -> None:
        generator.to(memory_format=torch.contiguous_format)
        snapshot.save(path, generator, name=phase.network, settings=phase.network_settings)

    metrics: dict[str, object] = {
        "steps": state.step,
        "parameters": {
            role: sum(parameter.numel() for parameter in network.parameters())
            for role, network in networks.items()
        },
        **state.scores,
    }
    save(phase.weights)
    assert state.best is not None, "the last step validates"
    generator.load_state_dict(state.best.weights)
    save(phase.best)
    metrics["best_step"] = state.best.step
    metric = (phase.settings.early_stopping or phase.watched).metric
    metrics[metric.replace("validation", "best")] = state.best.scores[metric]
    write_curves(phase.name, Path("plots"), phase.checkpoints.folder)
    write_metrics(phase.name, metrics)
