"""Time of Y, PSNR and SSIM of a 2K picture, here and in scikit-image.

`python -m benchmarks.scores` measures CPU time on one thread, which a busy machine hardly changes,
then wall time on two threads, which needs two idle cores.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from srmodels.evaluation.metrics.luma import Picture, luma_pair
from srmodels.evaluation.metrics.psnr import psnr
from srmodels.evaluation.metrics.ssim import ssim

HEIGHT, WIDTH, ROUNDS = 1404, 2040, 5


def pictures() -> tuple[Picture, Picture]:
    """A picture with edges, with noise and without, uint8 (H, W, 3)."""
    rng = np.random.default_rng(0)
    squares = np.kron(rng.integers(0, 256, (HEIGHT // 12, WIDTH // 12, 3)), np.ones((12, 12, 1)))
    noisy = squares + rng.normal(0, 8, squares.shape)
    return noisy.clip(0, 255).astype(np.uint8), squares.astype(np.uint8)


def usual(sr: Picture, hr: Picture) -> tuple[float, float]:
    """PSNR-Y and SSIM-Y by scikit-image, as in evaluation scripts."""
    y_sr, y_hr = rgb2ycbcr(sr)[4:-4, 4:-4, 0], rgb2ycbcr(hr)[4:-4, 4:-4, 0]
    similarity = structural_similarity(
        y_sr, y_hr, gaussian_weights=True, use_sample_covariance=False, data_range=255
    )
    return float(peak_signal_noise_ratio(y_hr, y_sr, data_range=255)), float(similarity)


def ours(sr: Picture, hr: Picture) -> tuple[float, float]:
    """PSNR-Y and SSIM-Y by srmodels."""
    pair = luma_pair(sr, hr, border=4)
    return psnr(*pair), ssim(*pair)


def seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Seconds of the fastest of several rounds."""
    spent = []
    for _ in range(ROUNDS):
        start = clock()
        work()
        spent.append(clock() - start)
    return min(spent)


def compare(threads: int, clock: Callable[[], float], sr: Picture, hr: Picture) -> None:
    """Prints times and scores of both, their ratio and differences."""
    torch.set_num_threads(threads)
    slow, fast = seconds(lambda: usual(sr, hr), clock), seconds(lambda: ours(sr, hr), clock)
    (psnr_0, ssim_0), (psnr_1, ssim_1) = usual(sr, hr), ours(sr, hr)
    named = f"{threads} thread{'s' if threads > 1 else ''}"
    print(f"Y + PSNR + SSIM of {sr.shape[1]} x {sr.shape[0]} pixels, {named}")
    print(f"scikit-image  {1000 * slow:6.0f} ms   {psnr_0:.6f} dB   {ssim_0:.8f}")
    print(f"srmodels      {1000 * fast:6.0f} ms   {psnr_1:.6f} dB   {ssim_1:.8f}")
    print(
        f"ratio         {slow / fast:6.1f} x    {psnr_1 - psnr_0:+.1e} dB   {ssim_1 - ssim_0:+.1e}"
    )


def main() -> None:
    """Prints the tables."""
    sr, hr = pictures()
    compare(1, time.process_time, sr, hr)
    compare(2, time.perf_counter, sr, hr)


if __name__ == "__main__":
    main()
