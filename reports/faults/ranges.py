"""Values that change their meaning between two functions: pictures, and what is said of them."""

from collections.abc import Callable, Mapping
from statistics import mean

import numpy as np
from skimage.metrics import peak_signal_noise_ratio

from reports.faults.case import Fault, Measured
from reports.faults.dataset import SCALE, StudyData
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet
from srmodels.evaluation.psnr import psnr_rgb, psnr_y
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge, enlarge_image, to_image, to_tensor

__all__ = ["BASELINE", "PEAK"]

_SHOWN = "astronaut"


def _misread(lr: Picture) -> Picture:
    """The numbers of (3, H, W) taken for those of (H, W, 3): reshaped where a permute was due."""
    sr = enlarge_image(lr, SCALE)
    return np.moveaxis(sr, -1, 0).copy().reshape(sr.shape)


def _wrapped(lr: Picture) -> Picture:
    """Overshoot begins anew at 0 or 255, as by a cast to 8 bits without a clamp."""
    values = enlarge(to_tensor(lr), SCALE)[0].mul(255).permute(1, 2, 0).numpy()
    return values.astype(np.int64).astype(np.uint8)


_BICUBIC: Mapping[str, Callable[[Picture], Picture]] = {
    "ours": lambda lr: enlarge_image(lr, SCALE),
    "twice": lambda lr: to_image(enlarge(to_tensor(lr) * 0.5 + 0.5, SCALE)),
    "never": lambda lr: to_image(enlarge(to_tensor(lr) * 2 - 1, SCALE)),
    "misread": _misread,
    "bgr": lambda lr: enlarge_image(lr, SCALE)[..., ::-1],
    "wrapped": _wrapped,
}


def _baseline(ground: StudyData) -> Measured:
    numbers, shown = {}, {"HR": ground.pictures[_SHOWN]}
    for way, enlarged in _BICUBIC.items():
        made = {name: enlarged(downscale(hr, SCALE)) for name, hr in ground.pictures.items()}
        found = [psnr_y(made[name], hr, border=SCALE) for name, hr in ground.pictures.items()]
        numbers[way] = {"psnr_y": round(mean(found), 6)}
        shown[_SAID[way]] = made[_SHOWN]
    del shown[_SAID["wrapped"]]  # looks like ours but for specks
    return Measured(numbers, sheet(shown, corner=most_detailed_crop(shown["HR"], CROP), crop=CROP))


_SAID = {
    "ours": "bicubic",
    "twice": "x * 0.5 + 0.5 on [0, 1]",
    "never": "left in [-1, 1]",
    "misread": "reshaped, not permuted",
    "bgr": "BGR for RGB",
    "wrapped": "cast without a clamp",
}

BASELINE = Fault(
    name="baseline",
    title="Bicubic at 11 dB",
    text="""A loader normalises HR to [-1, 1] and leaves LR in [0, 1]; the notebook's `x * 0.5 +
0.5`, meant for the network's output, then meets an LR that needs none, and bicubic comes out at
{twice[psnr_y]:.2f} dB instead of {ours[psnr_y]:.2f}. Three relatives: LR left in [-1, 1]
({never[psnr_y]:.2f} dB), a (3, H, W) array reshaped to (H, W, 3) where it should have been permuted
({misread[psnr_y]:.2f} dB), and BGR compared with RGB ({bgr[psnr_y]:.2f} dB). Beside such a baseline
any network looks like progress; what tells is the baseline's own row, for photographs at x4 hardly
ever come under 20 dB. Here a picture is float32 RGB in [0, 1] at every boundary, one place converts
to 8 bits, bicubic stands in every table, and an evaluation whose bicubic is under 20 dB stops with
an error. BGR, and a cast without a clamp ({wrapped[psnr_y]:.2f} dB), pass that guard; the published
scores of Set5 and BSD100, which tests reproduce to 0.01 dB, catch those.""",
    ways={
        "ours": "protocol",
        **{way: said for way, said in _SAID.items() if way != "ours"},
    },
    columns={"psnr_y": ("bicubic, PSNR-Y (dB)", 2)},
    tests=(
        "tests/evaluation/test_scores.py::test_a_bicubic_under_20_db_means_the_protocol_is_broken",
        "tests/evaluation/test_scores.py::test_bicubic_is_the_published_one",
        "tests/resize/test_resize.py::test_a_picture_is_clamped_and_rounded_half_up",
    ),
    picture="HR, the protocol's bicubic, and four others",
    measure=_baseline,
)


def _decibels(hr: Picture, sr: Picture, *, slope: float, offset: float, peak: float) -> float:
    """scikit-image's PSNR of values in [0, 1] after x * slope + offset, inside the border."""
    inside = slice(SCALE, -SCALE), slice(SCALE, -SCALE)
    both = (each[inside] / 255 * slope + offset for each in (hr, sr))
    return float(peak_signal_noise_ratio(*both, data_range=peak))


_PEAKS: Mapping[str, Callable[[Picture, Picture], float]] = {
    "ours": lambda hr, sr: psnr_rgb(sr, hr, border=SCALE),
    "peak_2": lambda hr, sr: _decibels(hr, sr, slope=1, offset=0, peak=2),
    "halved": lambda hr, sr: _decibels(hr, sr, slope=0.5, offset=0.5, peak=1),
    "peak_1": lambda hr, sr: _decibels(hr, sr, slope=2, offset=-1, peak=1),
}


def _peak(ground: StudyData) -> Measured:
    pairs = [(hr, enlarge_image(downscale(hr, SCALE), SCALE)) for hr in ground.pictures.values()]
    found = {way: mean(score(*pair) for pair in pairs) for way, score in _PEAKS.items()}
    return Measured(
        {
            way: {"psnr_rgb": round(value, 6), "difference": round(value - found["ours"], 6)}
            for way, value in found.items()
        }
    )


PEAK = Fault(
    name="peak",
    title="6.02 dB out of nothing",
    text="""PSNR is the logarithm of peak over error, so a factor of 2 between the two is worth 20
log10 2 = 6.02 dB. Pictures in [0, 1] scored with `data_range=2`, because training thinks in [-1,
1], gain {peak_2[difference]:.2f} dB; so do pictures that were in [0, 1] already and are
"denormalised" by `x * 0.5 + 0.5`, which halves every error. [-1, 1] scored with peak 1 loses as
much. Neither changes the order of models within one notebook, so nothing looks wrong until the
number is compared with a published one. What tells is bicubic's row again: 6 dB above or below the
published one, with the pictures unchanged. Here scores take uint8 pictures and nothing else, and
the peak is 255 in the formula, not an argument.""",
    ways={
        "ours": "uint8, peak 255",
        "peak_2": "[0, 1], peak 2",
        "halved": "[0, 1] denormalised once more, peak 1",
        "peak_1": "[-1, 1], peak 1",
    },
    columns={"psnr_rgb": ("bicubic, PSNR-RGB (dB)", 2), "difference": ("difference (dB)", 2)},
    tests=(
        "tests/evaluation/test_psnr.py::test_psnr_of_rgb_is_scikit_images_inside_the_border",
        "tests/evaluation/test_scores.py::test_bicubic_is_the_published_one",
    ),
    measure=_peak,
)
