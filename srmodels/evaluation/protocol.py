"""How the numbers are made; stands beside them in every metrics file.

The field's protocol for enlarging by a whole factor: Timofte, Rothe, Van Gool, "Seven ways to
improve example-based single image super resolution", CVPR 2016; Ledig et al., CVPR 2017, 3.2.
"""

from srmodels.evaluation.samples import Sampling

__all__ = ["PROTOCOL", "protocol"]

# Lists, so that DVC's tables of metrics, which flatten plain values, show the numbers only.
PROTOCOL: dict[str, list[str]] = {
    "hr": ["cut to a multiple of the scale, at the bottom and the right"],
    "lr": ["MATLAB imresize", "cubic, a = -0.5", "anti-aliased", "symmetric edges", "uint8"],
    "bicubic": ["the same kernel, enlarging"],
    "sr": ["clamped to 0..1", "times 255", "rounded half up", "uint8"],
    "y": ["ITU-R BT.601, 16..235"],
    "border": ["as many pixels as the scale, left out on each side"],
    "psnr_y": ["dB", "peak 255", "at most 100", "mean over images"],
    "ssim_y": ["Gaussian window of 11", "sigma 1.5", "population covariance", "range 255"],
    "sharpness": ["gradient energy on Y, SR over HR"],
    "colour_shift": ["mean CIEDE2000 after a reduction by 4"],
    "checkerboard": ["energy on Y standing out at multiples of 1/scale per pixel, SR over HR"],
    "shift": ["mean of SR less HR in CIE Lab after a reduction by 4"],
}


def protocol(
    scale: int, *, sampling: Sampling | None = None, alpha: float | None = None
) -> dict[str, list[str]]:
    """The protocol of one scale.

    Args:
        scale: HR over LR.
        sampling: How samples were drawn; None where there is no row of samples.
        alpha: Share of the generator's weights in the interpolated row; None without that row.
    """
    said = {"scale": [str(scale)], **PROTOCOL}
    if sampling is not None:
        said["samples"] = [
            f"{sampling.number} of each image, latents from the prior",
            f"temperature {sampling.temperature:g}",
            "scores: mean over samples, then over images",
        ]
        said["diversity"] = [
            "standard deviation of each 8-bit value of SR over the samples, of 255",
            "population",
            "mean over pixels and channels, then over images",
        ]
    if alpha is not None:
        said["interpolated"] = [f"weights {alpha:g} generator, {1 - alpha:g} pretrained"]
    return said
