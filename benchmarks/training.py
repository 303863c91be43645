"""Training steps per second of this project's engine and of a plain trainer, data included.

`python -m benchmarks.training` trains networks of the papers' sizes on generated photographs (see
`benchmarks.photographs`) with both trainers (see `benchmarks.steps`), each in its own process, in
turn for several rounds, and shows medians. The plain trainer's DataLoader has no workers or two;
the faster one is the baseline. The peak is the FLOP/s of a matrix product or a convolution,
whichever is faster, measured in the same run and precision.
"""

import argparse
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.equal_steps import bundled_patches, score_after
from benchmarks.networks import BATCH, NETWORKS, PATCH
from benchmarks.patches import cut_into_store, list_photographs
from benchmarks.photographs import make_photographs
from benchmarks.plain import SCALE, context, cut_all
from benchmarks.report import Cell, report
from benchmarks.steps import Ours, Plain, Round, fastest, serve
from srmodels.machine import resolve_device

_SIDES = (("plain", 0), ("plain", 2), ("ours", 0))  # and the DataLoader's workers


@contextmanager
def process(work: Callable[..., None], *given: object) -> Iterator[Connection]:
    """Runs a function in a new interpreter; yields a connection, then joins the process."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, *given))
    process.start()
    theirs.close()  # so that `ours` ends when the process dies
    try:
        yield ours
        process.join()
    finally:
        process.kill()


def prepare(folder: Path, photos: int) -> None:
    """Cuts generated photographs into FOLDER/png and FOLDER/raw."""
    source = folder / "photos"
    source.mkdir()
    with context().Pool(2) as pool:
        paths = make_photographs(source, photos, pool)
    list_photographs(paths, source)
    cut_all(paths, folder / "png", 2)
    cut_into_store(source, folder / "raw", workers=2)


def _row(
    work: str, folder: Path, device: torch.device, *, rounds: int, seconds: float, peak: float
) -> list[Cell]:
    done: dict[tuple[str, int], list[Round]] = {side: [] for side in _SIDES}
    with (
        process(serve, partial(Plain, work, folder, device)) as plain,
        process(serve, partial(Ours, work, folder, device)) as ours,
    ):
        lines = {"plain": plain, "ours": ours}
        flops = max(line.recv() for line in lines.values())  # both are ready when both have sent
        for _ in range(rounds):
            for kind, workers in _SIDES:
                lines[kind].send((seconds, workers))
                done[kind, workers].append(lines[kind].recv())
        for line in lines.values():
            line.send(None)
        memory = {kind: line.recv() for kind, line in lines.items()}
    rates = {side: median(run.steps / run.seconds for run in done[side]) for side in _SIDES}
    best = max(_SIDES[:2], key=lambda side: rates[side])
    mine = _SIDES[-1]
    waits = [median(run.waited / run.seconds for run in done[side]) for side in (best, mine)]
    cells: list[Cell] = [work]
    cells += [f"{BATCH * rates[side]:.3g}" for side in (best, mine)]
    cells += [f"{rates[mine] / rates[best]:.1f}x", round(rates[mine] * flops / 1e9)]
    cells += [f"{rates[mine] * flops / peak:.0%}", *(f"{share:.1%}" for share in waits)]
    return cells + [round(memory[kind] / 2**20) for kind in ("plain", "ours")]


def receive(work: Callable[..., None], *given: object) -> Any:  # noqa: ANN401 - whatever it sends
    """What a function sends first, run in a new interpreter."""
    with process(work, *given) as line:
        return line.recv()


def _columns() -> Sequence[str]:
    return (
        "network",
        "plain: samples/s",
        "ours: samples/s",
        "speed",
        "GFLOP/s",
        "of the peak",
        "plain: data wait",
        "ours: data wait",
        "plain: MiB",
        "ours: MiB",
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="only to see that it works")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, help="default: 3")
    parser.add_argument("--seconds", type=float, help="of each measurement; default: 4")
    parser.add_argument("--steps", type=int, help="before PSNR is compared; default: 300")
    parser.add_argument("--device", choices=["auto", "cuda", "mps", "cpu"], default="auto")
    parser.add_argument("--json", type=Path, help="where to keep the table")
    given = parser.parse_args()
    rounds = given.rounds or (1 if given.quick else 3)
    seconds = given.seconds or (0.5 if given.quick else 4.0)
    steps = given.steps or (5 if given.quick else 300)
    device = resolve_device(given.device)
    with TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, 2 if given.quick else 8)
        (folder / "bundled").mkdir()
        bundled_patches(folder / "bundled")
        product, convolution = receive(fastest, device)
        rows = [
            _row(
                work,
                folder,
                device,
                rounds=rounds,
                seconds=seconds,
                peak=max(product, convolution),
            )
            for work in given.networks
        ]
        scores = {
            kind: receive(score_after, kind, folder / "bundled", steps, device)
            for kind in ("plain", "ours")
        }
    settings: dict[str, Cell] = {
        "rounds": rounds,
        "seconds": seconds,
        "batch_size": BATCH,
        "patch_size": PATCH,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else device.type,
        "matmul_gflops": round(product / 1e9),
        "convolution_gflops": round(convolution / 1e9),
        "steps": steps,
        **{f"psnr_y_{kind}": round(score, 3) for kind, score in scores.items()},
    }
    report(
        f"Training steps of {BATCH} crops of {PATCH}/{SCALE * PATCH} pixels, data included",
        _columns(),
        rows,
        settings=settings,
        path=given.json,
    )
    print(", ".join(f"{name}: {value}" for name, value in settings.items()))


if __name__ == "__main__":
    main()
