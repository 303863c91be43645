"""How the scores are computed; written beside them in every metrics file.

Timofte, Rothe, Van Gool, "Seven ways to improve example-based single image super resolution", CVPR
2016; Ledig et al., CVPR 2017, section 3.2.
"""

from collections.abc import Collection, Sequence
from importlib.metadata import version

from srmodels.evaluation.means import DRAWS, FEWEST
from srmodels.evaluation.samples import Sampling

ENSEMBLE = "+x8"  # appended to a generator's name in the row of its self-ensemble
STRENGTH = "strength_"  # begins the name of a row of mixed weights
_PACKAGES = ("srmodels", "numpy", "pillow", "scikit-image", "torch")  # that compute the scores

# Lists, because DVC's tables of metrics show plain values
PROTOCOL: dict[str, list[str]] = {
    "hr": ["cut to a multiple of the scale, at the bottom and the right"],
    "lr": ["MATLAB imresize", "cubic, a = -0.5", "anti-aliased", "symmetric edges", "uint8"],
    "bicubic": ["the same kernel, enlarging"],
    "sr": ["clamped to 0..1", "times 255", "rounded half up", "uint8"],
    "y": ["ITU-R BT.601, 16..235"],
    "border": ["as many pixels as the scale, left out on each side"],
    "psnr_y": ["dB", "peak 255", "at most 100", "mean over images"],
    "ssim_y": ["Gaussian window of 11", "sigma 1.5", "population covariance", "range 255"],
    "psnr_rgb": ["dB", "peak 255", "one error over R, G and B", "at most 100", "mean over images"],
    "lr_consistency": ["PSNR of SR reduced as lr is, and LR", "RGB", "no border", "at most 100"],
    "interval": [
        "95 %",
        f"percentile bootstrap over images, {DRAWS} draws, seed 0",
        f"none with fewer than {FEWEST} images",
    ],
    "sharpness": ["gradient energy on Y, SR over HR"],
    "colour_shift": ["mean CIEDE2000 after a reduction by 4"],
    "checkerboard": ["energy on Y standing out at multiples of 1/scale per pixel, SR over HR"],
    "shift": ["mean of SR less HR in CIE Lab after a reduction by 4"],
}
NIQE = ["the authors' parameters", "Y, ITU-R BT.601, 16..235, rounded", "no border"]
_PERCEPTUAL = {
    "lpips": ["version 0.1, AlexNet", "RGB", "no border", "mean over images"],
    "lpips_vgg": ["version 0.1, VGG16", "RGB", "no border", "mean over images"],
    "dists": ["VGG16", "RGB", "no border", "mean over images"],
    "niqe": NIQE,
}


def protocol(
    scale: int,
    *,
    sampling: Sampling | None = None,
    strengths: Sequence[float] = (),
    given_lr: Collection[str] = (),
    made_lr: Collection[str] = (),
    perceptual: Collection[str] = (),
    degraded: bool = False,
    ensemble: bool = False,
) -> dict[str, list[str]]:
    """The protocol of one scale; `sampling` is None without such a row.

    `given_lr` and `made_lr` are the sets that came with LR, and those whose LR is made of HR.
    """
    text = {"scale": [str(scale)], **PROTOCOL}
    if given_lr:
        text["lr"] = ["given with HR, paired by name"]
        if made_lr:
            text["lr"] = [f"of {', '.join(given_lr)}: {text['lr'][0]}; else:", *PROTOCOL["lr"]]
        reduced = "PSNR of SR, reduced by MATLAB's imresize, and LR"
        text["lr_consistency"] = [reduced, *PROTOCOL["lr_consistency"][1:]]
    text |= {name: how for name, how in _PERCEPTUAL.items() if name in perceptual}
    if degraded:
        text["degraded"] = [
            "NAME_degraded: LR by Real-ESRGAN's second-order degradation, seed 0 and the CRC-32 of "
            "the picture's name"
        ]
    if ensemble:
        text["ensemble"] = [
            f"{ENSEMBLE}: mean over 8 flips and turns of LR",
            "in floating point, before clamping and rounding",
        ]
    if sampling is not None:
        text["samples"] = [
            f"{sampling.number} of each image, latents from the prior",
            f"temperature {sampling.temperature:g}",
            "scores: mean over samples, then over images",
        ]
        text["diversity"] = [
            "standard deviation of each 8-bit value of SR over the samples, of 255",
            "population",
            "mean over pixels and channels, then over images",
        ]
    if strengths:
        text["strength"] = [
            f"{STRENGTH}S: weights S generator, 1 - S pretrained",
            ", ".join(f"{strength:g}" for strength in strengths),
        ]
    return text


def versions() -> list[str]:
    """The versions of the packages that compute the scores."""
    return [f"{name} {version(name)}" for name in _PACKAGES]
