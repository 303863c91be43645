"""One phase of a recipe, the pretraining or the adversarial training, from networks to files."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srmodels import snapshot
from srmodels.data.degradation import degrade
from srmodels.data.source import PatchSource, Store, whole_images
from srmodels.data.unpaired import UnpairedSource
from srmodels.engine.checkpoint import Checkpoints
from srmodels.engine.device import RunSettings, fabric_for
from srmodels.engine.settings import TrainSettings
from srmodels.engine.train import Trainer, Watcher
from srmodels.errors import DataError
from srmodels.evaluation.psnr import psnr_y
from srmodels.evaluation.ssim import ssim_y
from srmodels.objectives.turn import Turn
from srmodels.resize import crop_to_multiple, reduce_image

__all__ = ["Phase", "train_phase", "write_curves", "write_metrics"]

log = logging.getLogger(__name__)

Picture = NDArray[np.uint8]
_SHOWN = 2  # validation pictures sent to the tracking server


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What a phase is made of.

    Attributes:
        name: "pretrain" or "gan"; names the curves and the metrics.
        settings: Steps, batch, optimizer.
        seed: Decides the batches and the random starts.
        scale: HR over LR.
        patches: The folder the patch stage wrote.
        resume: The folder for the state of this very configuration.
        network: The generator's module name, written into the snapshot.
        network_settings: The generator's settings, written into the snapshot.
        weights: The safetensors file to write.
        paired: Whether LR and HR of a batch show the same; if not, they are of different
            photographs.
    """

    name: str
    settings: TrainSettings
    seed: int
    scale: int
    patches: Path
    resume: Path
    network: str
    network_settings: object
    weights: Path
    paired: bool = True


def _validator(
    phase: Phase, upscale: Callable[[nn.Module, Picture], Picture]
) -> Callable[[nn.Module], tuple[dict[str, float], dict[str, Picture]]]:
    pairs = [
        (name, reduce_image(hr, phase.scale), hr)
        for name, image in whole_images(phase.patches / "validation")
        for hr in [crop_to_multiple(image, phase.scale)]
    ]
    if not pairs:
        raise DataError(f"{phase.patches / 'validation'}: no picture to validate on; run `patches`")

    def validate(generator: nn.Module) -> tuple[dict[str, float], dict[str, Picture]]:
        made = [(name, upscale(generator, lr), hr) for name, lr, hr in pairs]
        scores = {
            f"validation_{name}": float(
                np.mean([score(sr, hr, border=phase.scale) for _, sr, hr in made])
            )
            for name, score in (("psnr_y", psnr_y), ("ssim_y", ssim_y))
        }
        pictures = {f"validation/{name}": sr for name, sr, _ in made[:_SHOWN]}
        return scores, pictures

    return validate


def _degrader(phase: Phase) -> Callable[[Tensor, int], Tensor] | None:
    if phase.settings.degradation == "bicubic":
        return None
    settings = phase.settings.second_order
    return lambda hr, step: degrade(hr, settings, phase.scale, seed=phase.seed, step=step)


def write_curves(name: str, folder: Path, checkpoints: Checkpoints | None) -> None:
    """Copies the curves of a training to `folder`; headers only where nothing was trained."""
    folder.mkdir(exist_ok=True)
    for curve, target in (("losses", name), ("validation", f"{name}_validation")):
        source = checkpoints.folder / f"{curve}.csv" if checkpoints else None
        text = source.read_text(encoding="utf-8") if source else "step\n"
        (folder / f"{target}.csv").write_text(text, encoding="utf-8")


def train_phase(
    phase: Phase,
    networks: Callable[[], Mapping[str, nn.Module]],
    turns_of: Callable[[Mapping[str, nn.Module], torch.device], Sequence[Turn]],
    *,
    upscale: Callable[[nn.Module, Picture], Picture],
    run: RunSettings,
    watcher: Watcher,
) -> None:
    """Trains one phase and writes its weights, curves (plots/) and metrics (metrics/).

    Args:
        phase: Settings and places.
        networks: Makes the networks by role; called after the seed is set.
        turns_of: Makes the objective's turns from the wrapped networks.
        upscale: Runs a generator on a whole LR picture, for validation.
        run: Device and checkpoint interval.
        watcher: Told of every point and sample picture.

    Raises:
        BusyError: Another process trains this very configuration.
        NonFiniteError: A loss or a gradient is NaN or infinite.
    """
    checkpoints = Checkpoints(phase.resume)
    with checkpoints.held():
        fabric = fabric_for(run, phase.settings.precision)
        torch.manual_seed(phase.seed)
        source = (PatchSource if phase.paired else UnpairedSource)(
            Store(phase.patches / "train"),
            patch_size=phase.settings.patch_size,
            batch_size=phase.settings.batch_size,
            seed=phase.seed,
            scale=phase.scale,
            permute_colours=phase.settings.permute_colours,
        )
        made = networks()
        trainer = Trainer(
            fabric,
            made,
            lambda wrapped: turns_of(wrapped, fabric.device),
            phase.settings,
            checkpoints=checkpoints,
            validate=_validator(phase, upscale),
            degrade=_degrader(phase),
            watcher=watcher,
            run=run,
        )
        generator = trainer.run(source, title=phase.name)
        phase.weights.parent.mkdir(exist_ok=True)
        snapshot.save(
            phase.weights,
            generator.to(memory_format=torch.contiguous_format),
            name=phase.network,
            settings=phase.network_settings,
        )
        write_curves(phase.name, Path("plots"), checkpoints)
        parameters = {
            role: sum(each.numel() for each in network.parameters())
            for role, network in made.items()
        }
        write_metrics(
            phase.name,
            {"steps": trainer.step, "parameters": parameters, **trainer.scores},
        )
        checkpoints.remove()


def write_metrics(name: str, values: Mapping[str, object]) -> None:
    """Writes metrics/<name>.json, the values nested under the name so that names stay unique."""
    path = Path("metrics") / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({name: values}, indent=2) + "\n", encoding="utf-8")
