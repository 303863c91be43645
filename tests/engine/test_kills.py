"""A training that is killed again and again ends with the bytes of one that was not."""

import multiprocessing
import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from lightning_fabric import Fabric
from safetensors.torch import save

from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.early_stopping import EarlyStoppingSettings
from tests.engine.toys import ToySource, trainer

STEPS = 120


class Telling:
    """The toys' batches; says which step is being taken."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def batch(self, step):
        self.pipe.send(step)
        return ToySource().batch(step)


def train(folder: Path, pipe: Connection) -> None:
    """Trains to the end, with a checkpoint after every step, most of the time being written."""
    checkpoints = Checkpoints(folder / "run", {"data": "toys"})
    with checkpoints.lock():
        fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
        run = trainer(
            fabric, checkpoints, steps=STEPS, keep_best=EarlyStoppingSettings(), validate=scores
        )
        generator = run.run(Telling(pipe), title="killed")
        for name, state in (("last", generator.state_dict()), ("best", run.state.best.weights)):
            content = save({key: each.contiguous() for key, each in state.items()})
            (folder / name).write_bytes(content)


def scores(network):
    return {"validation_psnr_y": float(network.conv.weight.sum())}, {}


@pytest.fixture(scope="module")
def start():
    """Starts a training in a process of its own, which has nothing left to import."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.engine.test_kills"])

    def started(folder: Path):
        ours, its = context.Pipe(duplex=False)
        process = context.Process(target=train, args=(folder, its))
        process.start()
        its.close()
        return process, ours

    return started


def results(folder: Path) -> dict[str, bytes]:
    names = ("last", "best", "run/losses.csv", "run/validation.csv")
    return {name: (folder / name).read_bytes() for name in names}


def finish(process, pipe: Connection) -> None:
    while True:
        try:
            pipe.recv()
        except EOFError:
            break
    process.join()
    assert process.exitcode == 0


def unfinished(folder: Path) -> bool:
    """Whether a checkpoint is being written, or was when a process was killed."""
    return any((folder / "run").glob(".checkpoint.pt.*"))


def kill(process, folder: Path, *, while_saving: bool, after: float) -> None:
    """Kills it some seconds later, or as soon as a checkpoint is being written."""
    while while_saving and not unfinished(folder):
        assert process.is_alive(), "it ended before it could be killed"
    time.sleep(0 if while_saving else after)
    process.kill()
    process.join()
    assert process.exitcode == -9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kills", "inside", "least"),
    [(5, 1, 2), pytest.param(20, 3, STEPS // 10, marks=pytest.mark.long)],
)
def test_after_many_kills_the_results_are_those_of_an_undisturbed_run(
    start, tmp_path, kills, inside, least
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    finish(*start(whole))
    draw, writing, begun = random.Random(5), 0, []
    for _ in range(kills):
        process, pipe = start(cut)
        begun.append(pipe.recv())
        for _ in range(draw.randrange(1, STEPS // kills)):
            pipe.recv()
        kill(process, cut, while_saving=draw.random() < 0.5, after=draw.uniform(0, 0.03))
        writing += unfinished(cut)
    finish(*start(cut))
    assert writing >= inside, "kills inside the write were meant, too"
    assert begun == sorted(begun)
    assert begun[-1] > least  # a checkpoint lags behind the steps
    assert results(cut) == results(whole)
