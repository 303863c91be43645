"""The quickstart's training steps and an enlarging, on this processor and on one with AVX2 alone.

`python -m benchmarks.isa` measures float32 in contiguous memory (the plain way), float32 and
bfloat16 in channels_last, and what the package chooses by itself. Every run is a process of its
own, where environment variables hide the instructions beyond AVX2 from PyTorch, oneDNN and MKL.
Ways take turns; the best of several runs is shown.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report import Cell, report

ROOT = Path(__file__).parents[1]
SIDE, SCALE = 256, 4  # of the enlarged picture, in LR pixels
_HIDE = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
PROCESSORS: dict[str, dict[str, str]] = {"this processor": {}, "AVX2 alone": _HIDE}
WAYS = {  # the precision and the memory format
    "plain: fp32, contiguous": ("fp32", "contiguous"),
    "fp32, channels_last": ("fp32", "channels_last"),
    "bf16, channels_last": ("bf16", "channels_last"),
    "ours: chosen at start": ("auto", "channels_last"),
}
WORKS = {"pretrain": "pretraining: steps/s", "gan": "GAN: steps/s", "enlarge": "enlarging: MP/s"}
_TRAINING = {"fp32": "32-true", "bf16": "bf16-mixed", "auto": "auto"}


def _step(phase: str, precision: Any) -> tuple[Callable[[], object], str]:  # noqa: ANN401 - one of `_TRAINING`
    """A step of the recipe and the preset of params.yaml, and the precision."""
    import torch  # here, since every measurement is a process of its own

    from srmodels import models, objectives, params
    from srmodels.data.batches.batch import Batch
    from srmodels.engine.precision import fabric_for
    from srmodels.engine.settings import RunSettings
    from srmodels.engine.state import State
    from srmodels.engine.step import take_step

    torch.manual_seed(0)
    recipe = params.load(ROOT / "params.yaml", model="srgan", preset="quickstart").recipe
    section = recipe.pretrain if phase == "pretrain" else recipe.adversarial
    assert section is not None, "srgan has a GAN phase"
    needed = {"generator": recipe.generator, **getattr(section, "opponents", {})}
    networks = {role: models.build(each.name, each.settings) for role, each in needed.items()}
    objective, settings = section.objective, section.training
    state = State(
        fabric_for(RunSettings(device="cpu"), precision),
        networks,
        lambda nets, device: objectives.turns(objective.name, nets, objective.settings, device),
        settings,
        keep_best=None,
    )
    lr, hr = (
        torch.rand(settings.batch_size, 3, side, side).contiguous(memory_format=torch.channels_last)
        for side in (settings.patch_size, SCALE * settings.patch_size)
    )
    batch = Batch(lr=lr, hr=hr, photos=())

    def step() -> object:
        shared = {"step": torch.tensor(0)}
        terms = take_step(state.fabric, state.turns, state.optimizers, batch, shared=shared)
        state.ema.update(state.networks["generator"], 0)
        return terms

    return step, state.precision.name


def _enlarge(precision: Any) -> tuple[Callable[[], object], str]:  # noqa: ANN401 - of `upscale`
    """The enlarging of a picture by SRResNet, and the precision."""
    import numpy as np  # here, as above
    import torch

    from srmodels import models
    from srmodels.inference.tiling.device import resolve_precision
    from srmodels.inference.tiling.upscale import upscale
    from srmodels.machine import keep_freed_memory

    torch.manual_seed(0)
    keep_freed_memory()
    network = models.build("srresnet", models.settings_class("srresnet")()).eval()
    network.to(memory_format=torch.channels_last)
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    chosen = resolve_precision(torch.device("cpu"), precision)
    return lambda: upscale(network, picture, scale=SCALE, precision=precision), chosen


def measure(work: str, precision: str, memory_format: str, seconds: float) -> None:
    """Prints how often per second the work is done, and in which precision."""
    if work == "enlarge":
        from srmodels.machine import let_idle_threads_sleep

        let_idle_threads_sleep()
    import torch

    if memory_format == "contiguous":  # for all code of this process
        torch.channels_last = torch.contiguous_format
    if work == "enlarge":
        function, chosen = _enlarge(precision)
    else:
        function, chosen = _step(work, _TRAINING[precision])
    function()  # chooses kernels
    start, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - start < seconds:
        function()
        count += 1
    rate = count / (time.perf_counter() - start)
    print(json.dumps([rate * (SIDE**2 / 1e6 if work == "enlarge" else 1), chosen]))


def _measured(work: str, way: str, hidden: dict[str, str], seconds: float) -> tuple[float, str]:
    precision, memory_format = WAYS[way]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.isa", work, precision, memory_format, str(seconds)],
        env={**os.environ, **hidden},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rate, chosen = json.loads(done.stdout.splitlines()[-1])
    return rate, chosen


def rows(works: list[str], seconds: float, rounds: int) -> list[list[Cell]]:
    """A row for each work and way: on each processor the speed, and what it is of the plain way."""
    best: dict[tuple[str, str, str], tuple[float, str]] = {}
    for _ in range(rounds):
        for work in works:
            for processor, hidden in PROCESSORS.items():
                for way in WAYS:
                    found = _measured(work, way, hidden, seconds)
                    print(work, way, processor, *found, file=sys.stderr, flush=True)
                    key = (work, way, processor)
                    best[key] = max(best.get(key, found), found)
    table: list[list[Cell]] = []
    for work in works:
        for way in WAYS:
            cells: list[Cell] = [f"{WORKS[work]}, {way}"]
            for processor in PROCESSORS:
                rate, chosen = best[work, way, processor]
                plain, _ = best[work, next(iter(WAYS)), processor]
                cells += [f"{rate:.3g}", f"{rate / plain:.2f}x", chosen]
            table.append(cells)
    return table


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path, help="where to keep the table")
    given = parser.parse_args()
    columns = ["work and way"]
    for processor in PROCESSORS:
        columns += [processor, "of plain", "precision"]
    report(
        "The quickstart's training steps and an enlarging, here and with AVX2 alone",
        columns,
        rows(given.works, given.seconds, given.rounds),
        settings={"seconds": given.seconds, "rounds": given.rounds, "side": SIDE, "scale": SCALE},
        path=given.json,
    )


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in WORKS:
        measure(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
    else:
        main()
