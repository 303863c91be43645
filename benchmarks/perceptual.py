"""LPIPS and DISTS of a 2K pair against torchmetrics' LPIPS alone, all on VGG16, in one run.

`python -m benchmarks.perceptual [HEIGHT WIDTH]` counts processor time on one thread, which other
work on the machine leaves as it is. Needs the weights (`srmodels download perceptual`).
"""

import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torchmetrics.functional.image import lpips as torchmetrics_lpips

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


def timed(name: str, work: Callable[[Tensor], float], images: Tensor) -> tuple[float, float]:
    """Prints and returns processor seconds and score, after a run on a small part."""
    work(images[:, :, :128, :128])
    start = time.process_time()
    score = work(images)
    seconds = time.process_time() - start
    print(f"{name:24} {seconds:6.1f} s   {score:.6f}", flush=True)
    return seconds, score


def main(height: int, width: int) -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    sr, hr = pictures()
    images = torch.cat([to_tensor(picture[:height, :width]) for picture in (hr, sr)])
    print(f"{width} x {height} pixels, 1 thread")
    with torch.inference_mode():
        slow, expected = timed("torchmetrics LPIPS-VGG", usual(), images)
    keep_freed_memory()  # as `open_perceptual` does
    metrics: dict[str, Lpips | Dists] = {
        "LPIPS-Alex": Lpips("alexnet"),
        "LPIPS-VGG": Lpips("vgg16"),
        "DISTS": Dists(),
    }
    times = {name: timed(name, ours(metric), images) for name, metric in metrics.items()}
    difference = times["LPIPS-VGG"][1] - expected
    print(f"LPIPS-VGG {slow / times['LPIPS-VGG'][0]:.2f} x as fast, equal to {difference:+.1e}")
    both = times["LPIPS-Alex"][0] + times["DISTS"][0]
    print(f"LPIPS-Alex + DISTS in {both / slow:.2f} of torchmetrics' time")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3] or (HEIGHT, WIDTH)))
