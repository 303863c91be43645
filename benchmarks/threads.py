"""Training and enlarging beside other programs, with fixed threads and with threads that adapt.

`python -m benchmarks.threads` measures the quickstart's network of `srresnet` alone, beside a
program that keeps one core busy, and as two trainings at once; and the enlarging of a picture alone
and beside busy programs. Every run is a process of its own. `--spin` sets GOMP_SPINCOUNT there: how
long a thread of OpenMP polls for work before it sleeps.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import Cell, report

ROOT = Path(__file__).parents[1]
BATCH, PATCH, SIDE = 8, 32, 256  # of training crops, and of the enlarged picture, in LR pixels
_WARM_UP = 0.5  # share of a training's seconds before its speed is measured


def train(threads: int, seconds: float) -> None:
    """Trains for some seconds; prints the steps per second of the later part, threads, CPU time."""
    import torch  # here, since each measurement is a process of its own

    from srmodels import models, params
    from srmodels.data.batches.batch import Batch
    from srmodels.engine.optim.optimizer import OptimSettings, optimizer_for
    from srmodels.engine.precision import fabric_for, to_channels_last
    from srmodels.engine.settings import RunSettings
    from srmodels.engine.step import take_step
    from srmodels.engine.threads import RunningTrainings, Threads
    from srmodels.objectives import pixel
    from srmodels.objectives.pixel import Settings as PixelSettings

    torch.manual_seed(0)
    fabric = fabric_for(RunSettings(device="cpu"), "auto")
    small = params.load(ROOT / "params.yaml", model="srresnet", preset="quickstart")
    network = models.build(small.recipe.generator.name, small.recipe.generator.settings)
    network = to_channels_last(network.train())
    turns = pixel.turns({"generator": fabric.setup_module(network)}, PixelSettings())
    optimizers = {"generator": fabric.setup_optimizers(optimizer_for((network,), OptimSettings()))}
    lr = torch.rand(BATCH, 3, PATCH, PATCH)
    hr = torch.rand(BATCH, 3, 4 * PATCH, 4 * PATCH)
    batch = Batch(lr=lr, hr=hr, photos=())
    used = Threads(threads, RunningTrainings())
    with used.trainings.entered():
        used.start(0)
        start, step, first = time.perf_counter(), 0, None
        while (now := time.perf_counter() - start) < seconds:
            if first is None and now > _WARM_UP * seconds:
                first = step, now
            with used.timed():
                take_step(fabric, turns, optimizers, batch, shared={"step": torch.tensor(step)})
            step += 1
            used.update(step)
    assert first is not None
    speed = (step - first[0]) / (now - first[1])
    print(json.dumps({"speed": speed, "threads": used.number, "cpu": time.process_time()}))


def enlarge() -> None:
    """Enlarges a picture twice; prints seconds and CPU seconds of the second time."""
    from srmodels.machine import keep_freed_memory, let_idle_threads_sleep

    let_idle_threads_sleep()
    import numpy as np
    import torch

    from srmodels import models
    from srmodels.inference.tiling.upscale import upscale

    torch.manual_seed(0)
    keep_freed_memory()
    network = models.build("srresnet", models.settings_class("srresnet")()).eval()
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    for _ in range(2):
        start, cpu = time.perf_counter(), time.process_time()
        upscale(network, picture, scale=4, precision="bf16")
        spent = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"seconds": spent[0], "cpu": spent[1]}))


@contextmanager
def _busy(programs: int) -> Iterator[None]:
    """Programs that keep a core busy each."""
    running = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)
    ]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


def _measured(
    commands: Sequence[Sequence[str]], spin: str | None, busy: int
) -> list[dict[str, float]]:
    """Runs this module's commands at once; what each printed."""
    environment = {**os.environ, **({"GOMP_SPINCOUNT": spin} if spin else {})}
    with _busy(busy):
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.threads", *command],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for command in commands
        ]
        return [json.loads(each.communicate()[0].splitlines()[-1]) for each in running]


def _training_rows(seconds: float, spin: str | None) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    alone = 0.0
    for name, threads in (
        ("plain: all threads", os.cpu_count() or 1),
        ("plain: 1 thread", 1),
        ("ours: adapts", 0),
    ):
        work = ["train", str(threads), str(seconds)]
        cells: list[Cell] = [name]
        for trainings, busy in ((1, 0), (1, 1), (2, 0)):
            speeds = [each["speed"] for each in _measured([work] * trainings, spin, busy)]
            alone = alone or speeds[0]
            cells.append(" and ".join(f"{speed:.1f} ({speed / alone:.0%})" for speed in speeds))
        rows.append(cells)
        print(*cells, file=sys.stderr, flush=True)
    return rows


def _enlarging_row(spin: str | None) -> list[Cell]:
    cells: list[Cell] = []
    first = 0.0
    for busy in (0, 1, 2, 4):
        (spent,) = _measured([["enlarge"]], spin, busy)
        first = first or spent["cpu"]
        cells.append(
            f"{spent['seconds']:.1f} s, {spent['cpu']:.1f} CPU s ({spent['cpu'] / first:.1f}x)"
        )
    print(*cells, file=sys.stderr, flush=True)
    return cells


def main() -> None:
    """Prints the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=40.0, help="of a training; default: 40")
    parser.add_argument("--spin", nargs="+", default=["default"], help="values of GOMP_SPINCOUNT")
    parser.add_argument("--training", action="store_true", help="only the table of training")
    parser.add_argument("--enlarging", action="store_true", help="only the table of enlarging")
    parser.add_argument("--json", type=Path, help="where to keep the tables, as NAME-training.json")
    given = parser.parse_args()

    def path(table: str) -> Path | None:
        return given.json.with_name(f"{given.json.stem}-{table}.json") if given.json else None

    spins = {each: None if each == "default" else each for each in given.spin}
    if not given.enlarging:
        report(
            "training steps per second",
            ("threads", "alone", "beside a busy core", "two at once"),
            [
                [f"{row[0]}, spin {name}", *row[1:]]
                for name, spin in spins.items()
                for row in _training_rows(given.seconds, spin)
            ],
            settings={"batch_size": BATCH, "patch_size": PATCH, "seconds": given.seconds},
            path=path("training"),
        )
    if not given.training:
        report(
            "enlarging a picture",
            ("way", "alone", "beside 1 busy program", "beside 2", "beside 4"),
            [[f"ours, spin {name}", *_enlarging_row(spin)] for name, spin in spins.items()],
            settings={"side": SIDE, "scale": 4},
            path=path("enlarging"),
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        train(int(sys.argv[2]), float(sys.argv[3]))
    elif sys.argv[1:2] == ["enlarge"]:
        enlarge()
    else:
        main()
