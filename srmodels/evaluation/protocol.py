"""How the numbers are made; stands beside them in every metrics file.

The field's protocol for enlarging by a whole factor: Timofte, Rothe, Van Gool, "Seven ways to
improve example-based single image super resolution", CVPR 2016; Ledig et al., CVPR 2017, 3.2.
"""

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


def protocol(scale: int) -> dict[str, list[str]]:
    """The protocol of one scale."""
    return {"scale": [str(scale)], **PROTOCOL}
