"""Wrong value ranges: of bicubic's input, and of PSNR's peak."""

from collections.abc import Callable, Mapping
from statistics import mean

import numpy as np
from skimage.metrics import peak_signal_noise_ratio

from reports.faults.case import SCALE, Measured, StudyData
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.metrics.psnr import psnr_rgb, psnr_y
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet
from srmodels.evaluation.scores import Upscaler
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge, enlarge_image, to_image, to_tensor

_SHOWN = "astronaut"


def _bicubic(lr: Picture) -> Picture:
    return enlarge_image(lr, SCALE)


def _reshaped(lr: Picture) -> Picture:
    """(3, H, W) reshaped to (H, W, 3) instead of permuted."""
    sr = _bicubic(lr)
    return np.moveaxis(sr, -1, 0).copy().reshape(sr.shape)


def _wrapped(lr: Picture) -> Picture:
    """A cast to 8 bits without a clamp: overshoot wraps around."""
    values = enlarge(to_tensor(lr), SCALE)[0].mul(255).permute(1, 2, 0).numpy()
    return values.astype(np.int64).astype(np.uint8)


_UPSCALERS: Mapping[str, tuple[str, Upscaler]] = {  # with the label in the picture
    "ours": ("bicubic", _bicubic),
    "twice": (
        "x * 0.5 + 0.5 on [0, 1]",
        lambda lr: to_image(enlarge(to_tensor(lr) * 0.5 + 0.5, SCALE)),
    ),
    "never": ("left in [-1, 1]", lambda lr: to_image(enlarge(to_tensor(lr) * 2 - 1, SCALE))),
    "misread": ("reshaped, not permuted", _reshaped),
    "bgr": ("BGR for RGB", lambda lr: _bicubic(lr)[..., ::-1]),
    "wrapped": ("", _wrapped),  # not shown: looks like ours except for specks
}


def measure_baseline(data: StudyData) -> Measured:
    """PSNR-Y of bicubic with images in wrong ranges or layouts."""
    numbers, shown = {}, {"HR": data.pictures[_SHOWN]}
    for name, (label, upscale) in _UPSCALERS.items():
        sr = {image: upscale(downscale(hr, SCALE)) for image, hr in data.pictures.items()}
        scores = [psnr_y(sr[image], hr, border=SCALE) for image, hr in data.pictures.items()]
        numbers[name] = {"psnr_y": round(mean(scores), 6)}
        if label:
            shown[label] = sr[_SHOWN]
    return Measured(numbers, sheet(shown, corner=most_detailed_crop(shown["HR"], CROP), crop=CROP))


def _psnr(hr: Picture, sr: Picture, *, slope: float, offset: float, peak: float) -> float:
    """scikit-image's PSNR of values in [0, 1] after x * slope + offset, inside the border."""
    inside = slice(SCALE, -SCALE), slice(SCALE, -SCALE)
    scaled = (picture[inside] / 255 * slope + offset for picture in (hr, sr))
    return float(peak_signal_noise_ratio(*scaled, data_range=peak))


_PEAKS: Mapping[str, Callable[[Picture, Picture], float]] = {
    "ours": lambda hr, sr: psnr_rgb(sr, hr, border=SCALE),
    "peak_2": lambda hr, sr: _psnr(hr, sr, slope=1, offset=0, peak=2),
    "halved": lambda hr, sr: _psnr(hr, sr, slope=0.5, offset=0.5, peak=1),
    "peak_1": lambda hr, sr: _psnr(hr, sr, slope=2, offset=-1, peak=1),
}


def measure_peak(data: StudyData) -> Measured:
    """PSNR-RGB of bicubic with a peak that does not fit the range."""
    pairs = [(hr, _bicubic(downscale(hr, SCALE))) for hr in data.pictures.values()]
    psnr = {name: mean(score(*pair) for pair in pairs) for name, score in _PEAKS.items()}
    return Measured(
        {
            name: {"psnr_rgb": round(value, 6), "difference": round(value - psnr["ours"], 6)}
            for name, value in psnr.items()
        }
    )
