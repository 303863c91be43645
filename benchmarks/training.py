"""How much faster a training step is than the plain way's, end to end, side by side.

`python -m benchmarks.training` trains networks of the papers' sizes on its own photographs (see
`benchmarks.photographs`) in both ways (see `benchmarks.steps`), one process a way, in turn, several
rounds; the table shows medians. The plain way's DataLoader works without workers and with two, and
compared with is the better one. The share of the peak is of the faster of a product of matrices
and a convolution, measured in the same run in the precision that ours trains in.
"""

import argparse
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.equal_steps import bundled_patches, score_after
from benchmarks.patches import cut_into_store, list_photographs
from benchmarks.photographs import make_photographs
from benchmarks.plain import SCALE, context, cut_all
from benchmarks.report import Cell, report
from benchmarks.steps import BATCH, NETWORKS, PATCH, Round, fastest, serve
from srmodels.machine import resolve_device

_SIDES = (("plain", 0), ("plain", 2), ("ours", 0))  # and the DataLoader's workers


@contextmanager
def _process(work: Callable[..., None], *given: object) -> Iterator[Connection]:
    """A fresh interpreter at work, and the line to it; it is waited for."""
    ours, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=work, args=(its, *given))
    process.start()
    its.close()  # so that a process that dies ends the line
    try:
        yield ours
        process.join()
    finally:
        process.kill()


def _prepare(folder: Path, photos: int) -> None:
    source = folder / "photos"
    source.mkdir()
    with context().Pool(2) as pool:
        paths = make_photographs(source, photos, pool)
    list_photographs(paths, source)
    cut_all(paths, folder / "png", 2)
    cut_into_store(source, folder / "raw", workers=2)
    (folder / "bundled").mkdir()
    bundled_patches(folder / "bundled")


def _row(
    work: str, folder: Path, device: torch.device, *, rounds: int, seconds: float, peak: float
) -> list[Cell]:
    done: dict[tuple[str, int], list[Round]] = {side: [] for side in _SIDES}
    with (
        _process(serve, "plain", work, folder, device) as plain,
        _process(serve, "ours", work, folder, device) as ours,
    ):
        lines = {"plain": plain, "ours": ours}
        flops = max(line.recv() for line in lines.values())  # both are ready when both have told
        for _ in range(rounds):
            for kind, workers in _SIDES:
                lines[kind].send((seconds, workers))
                done[kind, workers].append(lines[kind].recv())
        for line in lines.values():
            line.send(None)
        memory = {kind: line.recv() for kind, line in lines.items()}
    rates = {side: median(each.steps / each.seconds for each in done[side]) for side in _SIDES}
    best = max(_SIDES[:2], key=lambda side: rates[side])
    mine = _SIDES[-1]
    waits = [median(each.waited / each.seconds for each in done[side]) for side in (best, mine)]
    cells: list[Cell] = [work]
    cells += [f"{BATCH * rates[side]:.3g}" for side in (best, mine)]
    cells += [f"{rates[mine] / rates[best]:.1f}x", round(rates[mine] * flops / 1e9)]
    cells += [f"{rates[mine] * flops / peak:.0%}", *(f"{share:.1%}" for share in waits)]
    return cells + [round(memory[kind] / 2**20) for kind in ("plain", "ours")]


def _told(work: Callable[..., None], *given: object) -> Any:  # noqa: ANN401 - what it sends
    with _process(work, *given) as line:
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
        _prepare(folder, 2 if given.quick else 8)
        product, convolution = _told(fastest, device)
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
            kind: _told(score_after, kind, folder / "bundled", steps, device)
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
