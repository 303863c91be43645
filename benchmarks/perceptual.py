"""LPIPS and DISTS of a 2K pair against torchmetrics' LPIPS alone, all on VGG16, in one run.

`python -m benchmarks.perceptual [--size HEIGHT WIDTH]` counts processor time on one thread, which
other work on the machine leaves as it is. Needs the weights (`srmodels download perceptual`).
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torchmetrics.functional.image import lpips as torchmetrics_lpips

from benchmarks.report import Cell, report
from benchmarks.scores import HEIGHT, WIDTH, pictures
from srmodels.evaluation.metrics.dists import Dists
from srmodels.evaluation.metrics.lpips import Lpips
from srmodels.machine import keep_freed_memory
from srmodels.pretrained.weights import load_weights
from srmodels.resize.tensors import to_tensor


def usual() -> Callable[[Tensor], float]:
    """Torchmetrics' network and heads, with our ImageNet weights instead of a download."""
    network = torchmetrics_lpips._LPIPS(net="vgg", pnet_rand=True).eval()
    state = load_weights("vgg16")
    for key, tensor in network.net.named_parameters():
        _, index, kind = key.split(".")  # slice1.0.weight
        tensor.data = state[f"features.{index}.{kind}"]
    return lambda images: network(images[1:], images[:1], normalize=True).item()


def ours(metric: Lpips | Dists) -> Callable[[Tensor], float]:
    """One of this project's metrics, of one SR."""
    return lambda images: metric(images)[0]


def timed(work: Callable[[Tensor], float], images: Tensor) -> tuple[float, float]:
    """Processor seconds and score, after a run on a small part."""
    work(images[:, :, :128, :128])
    start = time.process_time()
    score = work(images)
    return time.process_time() - start, score


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=int, nargs=2, default=(HEIGHT, WIDTH), help="of the pair")
    parser.add_argument("--json", type=Path, help="where to keep the table")
    given = parser.parse_args()
    height, width = given.size
    torch.set_num_threads(1)
    sr, hr = pictures()
    images = torch.cat([to_tensor(picture[:height, :width]) for picture in (hr, sr)])
    with torch.inference_mode():
        slow, expected = timed(usual(), images)
    keep_freed_memory()  # as `open_perceptual` does
    metrics: dict[str, Lpips | Dists] = {
        "LPIPS-Alex": Lpips("alexnet"),
        "LPIPS-VGG": Lpips("vgg16"),
        "DISTS": Dists(),
    }
    found = {name: timed(ours(metric), images) for name, metric in metrics.items()}
    both = found["LPIPS-Alex"][0] + found["DISTS"][0]
    seconds = {
        "torchmetrics, LPIPS-VGG": slow,
        **{f"ours, {name}": spent for name, (spent, _) in found.items()},
        "ours, LPIPS-Alex + DISTS": both,
    }
    scores = {"torchmetrics, LPIPS-VGG": expected} | {
        f"ours, {name}": score for name, (_, score) in found.items()
    }
    rows: list[list[Cell]] = [
        [
            name,
            f"{spent:.1f}",
            f"{slow / spent:.2f}x",
            f"{scores[name]:.6f}" if name in scores else "-",
        ]
        for name, spent in seconds.items()
    ]
    report(
        "perceptual metrics of a pair",
        ("metric", "CPU seconds", "speed", "score"),
        rows,
        settings={"height": height, "width": width, "threads": 1},
        path=given.json,
    )


if __name__ == "__main__":
    main()
