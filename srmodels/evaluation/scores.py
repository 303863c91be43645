"""What the pipeline says about an upscaler: scores of whole pictures, made by one protocol."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd
from tqdm import tqdm

from srmodels.errors import ProtocolError
from srmodels.evaluation.checkerboard import checkerboard
from srmodels.evaluation.colour import colour_scores
from srmodels.evaluation.consistency import lr_consistency
from srmodels.evaluation.fit import check_fit
from srmodels.evaluation.lpips import Distance
from srmodels.evaluation.luma import Picture, luma_pair
from srmodels.evaluation.protocol import PROTOCOL, protocol
from srmodels.evaluation.psnr import psnr, psnr_rgb
from srmodels.evaluation.samples import Draw, diversity
from srmodels.evaluation.sharpness import sharpness
from srmodels.evaluation.ssim import ssim
from srmodels.resize.images import crop_to_multiple, downscale
from srmodels.resize.tensors import enlarge_image

__all__ = [
    "BASELINE",
    "PROTOCOL",
    "SAMPLES",
    "Shown",
    "Upscaler",
    "evaluate",
    "protocol",
    "scores",
]

Upscaler = Callable[[Picture], Picture]
BASELINE = "bicubic"
SAMPLES = "samples"
_BROKEN = 20.0  # dB; no set of photographs has a bicubic this low unless something is wrong
_DIGITS = 6


class Shown(NamedTuple):
    """One picture as it was scored.

    Attributes:
        image: Its name.
        lr: uint8 (h, w, 3).
        pictures: SR by model, bicubic's first; uint8 (scale h, scale w, 3) each.
        samples: Samples of SR of the same size; none unless some were drawn.
        hr: What they were compared with.
    """

    image: str
    lr: Picture
    pictures: Mapping[str, Picture]
    samples: Sequence[Picture]
    hr: Picture


def scores(
    sr: Picture, hr: Picture, *, lr: Picture, scale: int, lpips: Distance | None = None
) -> dict[str, float]:
    """All scores of one picture.

    Args:
        sr: uint8 (H, W, 3), sRGB.
        hr: The same size.
        lr: uint8 (H / scale, W / scale, 3), what SR was made from.
        scale: How many times larger SR is.
        lpips: What computes it; None leaves it out.

    Returns:
        psnr_y (dB), ssim_y, psnr_rgb (dB), lpips where wanted, sharpness, checkerboard (SR over
        HR), lr_consistency (dB), colour_shift (CIEDE2000) and the tint it consists of: shift_l,
        shift_a, shift_b. Rounded to 6 decimals.

    Raises:
        ProtocolError: The sizes differ, or the picture is too small.
    """
    y = luma_pair(sr, hr, border=scale)
    shift, (lightness, red, yellow) = colour_scores(sr, hr)
    made = {
        "psnr_y": psnr(*y),
        "ssim_y": ssim(*y),
        "psnr_rgb": psnr_rgb(sr, hr, border=scale),
        **({} if lpips is None else {"lpips": lpips(sr, hr, scale)}),
        "sharpness": sharpness(*y),
        "colour_shift": shift,
        "checkerboard": checkerboard(*y, scale=scale),
        "lr_consistency": lr_consistency(sr, lr, scale=scale),
        "shift_l": lightness,
        "shift_a": red,
        "shift_b": yellow,
    }
    return {name: round(value, _DIGITS) for name, value in made.items()}


def _nothing(_shown: Shown) -> None:
    pass


def _row(
    shown: Shown, model: str, made: Sequence[Picture], scale: int, lpips: Distance | None
) -> dict[str, str | float]:
    """A model's mean scores on one picture, of which it made one SR or several."""
    try:
        each = [scores(sr, shown.hr, lr=shown.lr, scale=scale, lpips=lpips) for sr in made]
    except ProtocolError as error:
        raise ProtocolError(f"{shown.image}, {model}: {error}") from None
    found = {name: sum(one[name] for one in each) / len(each) for name in each[0]}
    return {
        "image": shown.image,
        "model": model,
        **{name: round(value, _DIGITS) for name, value in found.items()},
    }


def _rows(shown: Shown, scale: int, lpips: Distance | None) -> list[dict[str, str | float]]:
    """One row per model, and one for the samples where there are any."""
    rows = [_row(shown, model, [sr], scale, lpips) for model, sr in shown.pictures.items()]
    if shown.samples:
        spread = round(diversity(shown.samples), _DIGITS)
        row = _row(shown, SAMPLES, shown.samples, scale, lpips)
        rows.append({**row, "diversity": spread})
    return rows


def evaluate(
    upscalers: Mapping[str, Upscaler],
    images: Sequence[tuple[str, Picture]],
    *,
    scale: int,
    lr: Mapping[str, Picture] | None = None,
    lpips: Distance | None = None,
    draw: Draw | None = None,
    show: Callable[[Shown], None] = _nothing,
) -> pd.DataFrame:
    """Scores upscalers on pictures; bicubic always is one of them, and the first.

    Args:
        upscalers: By name: uint8 LR (h, w, 3) to uint8 SR (scale h, scale w, 3).
        images: Names and HR pictures, uint8 (H, W, 3), any size; cut to a multiple of `scale`.
        scale: How many times LR is smaller.
        lr: Given LR pictures by the images' names; None makes LR of HR.
        lpips: What computes that score; None leaves it out.
        draw: Makes samples of SR; their mean scores are one more row, "samples", which alone has
            a diversity. None: no such row, no such column.
        show: Called once a picture.

    Returns:
        One row per picture and model: image, model, and the columns of `scores`.

    Raises:
        ProtocolError: There is no picture, one does not fit, or bicubic is so bad on average that
            the protocol must be broken.
    """
    check_fit(images, lr, scale=scale, lpips=lpips is not None)
    everyone: dict[str, Upscaler] = {BASELINE: lambda lr: enlarge_image(lr, scale), **upscalers}
    rows: list[dict[str, str | float]] = []
    for place, (name, whole) in enumerate(tqdm(images, "scores", disable=None, unit="picture")):
        hr = crop_to_multiple(whole, scale)
        small = downscale(hr, scale) if lr is None else lr[name]
        pictures = {model: upscale(small) for model, upscale in everyone.items()}
        shown = Shown(name, small, pictures, draw(small, place) if draw else [], hr)
        rows += _rows(shown, scale, lpips)
        show(shown)
    table = pd.DataFrame(rows)
    _check_baseline(table.loc[table["model"] == BASELINE, "psnr_y"])
    return table


def _check_baseline(values: Iterable[float]) -> None:
    each = list(values)
    mean = sum(each) / len(each)
    if mean < _BROKEN:
        raise ProtocolError(
            f"bicubic: PSNR-Y is {mean:.2f} dB; on photographs it is above {_BROKEN:.0f} dB, so LR "
            "and HR do not belong together, or a value range is wrong: the protocol is broken"
        )
