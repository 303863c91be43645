"""PSNR after equal training steps of this project's engine and of plain float32 training.

Both start with the same weights and see the same batches; precision, memory format and the code of
the step differ.
"""

from multiprocessing.connection import Connection
from pathlib import Path
from statistics import mean

import torch
from torch import nn

from benchmarks.patches import cut_into_store, list_photographs
from benchmarks.photographs import CHOICE
from benchmarks.plain import SCALE
from srmodels import models, params
from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.data.datasets.bundled import copy_bundled, read_choice
from srmodels.data.store.reader import PatchStore
from srmodels.engine.optim.ema import EMA
from srmodels.engine.optim.optimizer import OptimSettings, optimizer_for
from srmodels.engine.optim.schedule import learning_rate_at, set_rate
from srmodels.engine.precision import fabric_for, to_channels_last
from srmodels.engine.settings import RunSettings
from srmodels.engine.step import take_step
from srmodels.evaluation.metrics.psnr import psnr_y
from srmodels.images.readers.decode import decode
from srmodels.inference.tiling.upscale import upscaler
from srmodels.objectives import pixel
from srmodels.objectives.pixel import Settings as PixelSettings
from srmodels.resize.images import crop_to_multiple, downscale

_PARAMS = Path(__file__).parents[1] / "params.yaml"
_OPTIMIZER = OptimSettings(learning_rate=1e-3, betas=(0.9, 0.99), schedule="cosine", ema_decay=0.99)


def bundled_patches(folder: Path) -> None:
    """Cuts bundled training photographs into folder/patches, puts the test ones into folder."""
    originals = folder / "bundled"
    originals.mkdir()
    copies = copy_bundled(read_choice(CHOICE), originals)
    list_photographs([path for row, path in copies if row.split == "train"], originals)
    cut_into_store(originals, folder / "patches", workers=2)
    for row, path in copies:
        if row.split == "test":
            path.rename(folder / path.name)


def _score(generator: nn.Module, folder: Path) -> float:
    upscale, scores = upscaler(SCALE), []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        hr = crop_to_multiple(decode(path), SCALE)
        scores.append(psnr_y(upscale(generator, downscale(hr, SCALE)), hr, border=SCALE))
    return mean(scores)


def score_after(
    line: Connection, kind: str, folder: Path, steps: int, device: torch.device
) -> None:
    """Trains, then sends the mean PSNR-Y of the bundled test photographs; runs in its own process.

    Args:
        line: Receives the score.
        kind: "plain" (float32, contiguous) or "ours".
        folder: Written by `bundled_patches`.
        steps: Of 8 crops of 24 LR pixels, with a cosine schedule.
        device: Trains there.
    """
    ours = kind == "ours"
    fabric = fabric_for(
        RunSettings(device=device.type),  # type: ignore[arg-type]
        "auto" if ours else "32-true",
    )
    torch.manual_seed(0)
    small = params.load(_PARAMS, model="srresnet", preset="quickstart").recipe.generator
    network = models.build(small.name, small.settings).train()
    network = to_channels_last(network) if ours else network
    turns = pixel.turns({"generator": fabric.setup_module(network)}, PixelSettings())
    optimizer = fabric.setup_optimizers(optimizer_for((network,), _OPTIMIZER))
    average = EMA(network, _OPTIMIZER.ema_decay)
    store = PatchStore(folder / "patches" / "train")
    source = PatchSampler(
        store, patch_size=24, batch_size=8, seed=0, scale=SCALE, permute_colours=True
    )
    for step in range(steps):
        batch = source.batch(step)
        lr, hr = (images.to(fabric.device) for images in (batch.lr, batch.hr))
        if not ours:
            lr, hr = lr.contiguous(), hr.contiguous()
        set_rate(optimizer, learning_rate_at(step, steps, _OPTIMIZER))
        shared = {"step": torch.tensor(step)}
        take_step(
            fabric,
            turns,
            {"generator": optimizer},
            Batch(lr=lr, hr=hr, photos=batch.photos),
            shared=shared,
        )
        average.update(network, step)
    line.send(_score(average.network, folder))
