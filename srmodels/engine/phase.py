"""One phase of a recipe, the pretraining or the adversarial training, from networks to files."""

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
from srmodels.engine.precision import fabric_for
from srmodels.engine.run_settings import RunSettings
from srmodels.engine.settings import TrainSettings, members_without_crops
from srmodels.engine.state import State
from srmodels.engine.tracking.curves import write_curves, write_metrics
from srmodels.engine.tracking.record import Logger
from srmodels.engine.train import Trainer
from srmodels.engine.validation import Picture, validator
from srmodels.errors import ConfigError
from srmodels.objectives.turn import Turn

__all__ = ["Phase", "train_phase"]

log = logging.getLogger(__name__)

_OTHER_SEEDS = 2**32  # the seeds of params.yaml end below


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What a phase is made of.

    Attributes:
        name: "pretrain" or "gan"; names the curves and the metrics.
        settings: Steps, batch, optimizer.
        seed: Decides the batches and the random starts.
        scale: HR over LR.
        patches: The folder the patch stage wrote.
        checkpoints: The state of this very configuration.
        network: The generator's module name, written into the snapshot.
        network_settings: The generator's settings, written into the snapshot.
        weights: The safetensors file to write.
        paired: Whether LR and HR of a batch show the same; if not, they are of different
            photographs.
        best: The safetensors file for the generator that validated best, beside the last one; None
            where validation says nothing of how good it is: PSNR and SSIM fall where a GAN begins
            to work, so its phase is never judged by them.
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
    best: Path | None = None


def sampler_for(phase: Phase) -> PatchSampler | UnpairedSampler:
    """Where this process's batches come from.

    Raises:
        ConfigError: The batch has no equal parts for all processes, or a part no crop for each
            member of the generator.
        DataError: The patches do not fit.
    """
    problem = members_without_crops(
        phase.settings, phase.network_settings, where="training", processes=collectives.world_size()
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
    """What makes the LR of a step from its HR; None where LR is the stored one."""
    if phase.settings.degradation == "bicubic":
        return None
    settings = phase.settings.second_order
    # what is drawn for an image depends on those before it: each process's part has its own draws
    seed = phase.seed + collectives.rank() * _OTHER_SEEDS
    return lambda hr, step: degrade(hr, settings, phase.scale, seed=seed, step=step)


def train_phase(
    phase: Phase,
    networks: Callable[[], Mapping[str, nn.Module]],
    turns_of: Callable[[Mapping[str, nn.Module], torch.device], Sequence[Turn]],
    *,
    upscale: Callable[[nn.Module, Picture], Picture],
    run: RunSettings,
    watcher: Logger,
) -> None:
    """Trains one phase and writes its weights, curves (plots/) and metrics (metrics/).

    Of several processes the leading one writes; all leave together.

    Args:
        phase: Settings and places.
        networks: Makes the networks by role; called after the seed is set.
        turns_of: Makes the objective's turns from the wrapped networks.
        upscale: Runs a generator on a whole LR picture, for validation.
        run: Device and checkpoint interval.
        watcher: Told of every point and sample picture.

    Raises:
        BusyError: Another process trains this very configuration.
        ConfigError: The batch has no equal parts for all processes.
        LostError: Another process of this training has failed or does not answer.
        NonFiniteError: A loss or a gradient is NaN or infinite.
    """
    checkpoints = phase.checkpoints
    fabric = fabric_for(run, phase.settings.precision)
    with (
        collectives.exit_together(),
        checkpoints.held() if collectives.is_main_process() else nullcontext(),
    ):
        seed_all(phase.seed)
        source = sampler_for(phase)
        made = networks()
        trainer = Trainer(
            fabric,
            made,
            lambda wrapped: turns_of(wrapped, fabric.device),
            phase.settings,
            checkpoints=checkpoints,
            validate=validator(phase.patches / "validation", phase.scale, upscale),
            degrade=degrader_of(phase),
            judged=phase.best is not None,
            watcher=watcher,
            run=run,
        )
        generator = trainer.run(source, title=phase.name)
        if collectives.is_main_process():
            _write(phase, made, generator, trainer.state)
            checkpoints.remove()


def _write(
    phase: Phase, networks: Mapping[str, nn.Module], generator: nn.Module, state: State
) -> None:
    """The weights, the curves and the metrics of a finished training."""
    metrics: dict[str, object] = {
        "steps": state.step,
        "parameters": {
            role: sum(each.numel() for each in network.parameters())
            for role, network in networks.items()
        },
        **state.scores,
    }
    _save(phase, generator, phase.weights)
    if phase.best is not None and state.best is not None:
        generator.load_state_dict(state.best.weights)
        _save(phase, generator, phase.best)
        metrics["best_step"] = state.best.step
        metrics["best_psnr_y"] = state.best.scores["validation_psnr_y"]
    write_curves(phase.name, Path("plots"), phase.checkpoints.folder)
    write_metrics(phase.name, metrics)


def _save(phase: Phase, generator: nn.Module, path: Path) -> None:
    snapshot.save(
        path,
        generator.to(memory_format=torch.contiguous_format),
        name=phase.network,
        settings=phase.network_settings,
    )
