"""The scores of upscalers on whole pictures, by one protocol."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd
from tqdm import tqdm

from srmodels.errors import ProtocolError, listed
from srmodels.evaluation.metrics.checkerboard import checkerboard
from srmodels.evaluation.metrics.colour import colour_scores
from srmodels.evaluation.metrics.lpips import MIN_SIDE
from srmodels.evaluation.metrics.luma import Picture, luma_pair
from srmodels.evaluation.metrics.psnr import lr_consistency, psnr, psnr_rgb
from srmodels.evaluation.metrics.sharpness import sharpness
from srmodels.evaluation.metrics.ssim import WINDOW, ssim
from srmodels.evaluation.perceptual import PerceptualScores
from srmodels.evaluation.samples import Draw, diversity
from srmodels.resize.images import crop_to_multiple, downscale
from srmodels.resize.tensors import enlarge_image

Upscaler = Callable[[Picture], Picture]
BASELINE = "bicubic"
SAMPLES = "samples"
_BROKEN = 20.0  # dB; bicubic is better than this on any set of photographs
_DIGITS = 6


class ScoredPicture(NamedTuple):
    """One picture as it was scored."""

    image: str  # the picture's name
    lr: Picture  # uint8 (h, w, 3)
    # SR by model, bicubic's first; uint8 (scale h, scale w, 3) each
    pictures: Mapping[str, Picture]
    samples: Sequence[Picture]  # samples of SR, of the same size; empty if none were drawn
    hr: Picture  # what they were compared with


def scores(sr: Picture, hr: Picture, *, lr: Picture, scale: int) -> dict[str, float]:
    """All scores of uint8 (H, W, 3) but the perceptual ones, rounded; PROTOCOL has their units."""
    y = luma_pair(sr, hr, border=scale)
    shift, (lightness, red, yellow) = colour_scores(sr, hr)
    values = {
        "psnr_y": psnr(*y),
        "ssim_y": ssim(*y),
        "psnr_rgb": psnr_rgb(sr, hr, border=scale),
        "sharpness": sharpness(*y),
        "colour_shift": shift,
        "checkerboard": checkerboard(*y, scale=scale),
        "lr_consistency": lr_consistency(sr, lr, scale=scale),
        "shift_l": lightness,
        "shift_a": red,
        "shift_b": yellow,
    }
    return {name: round(value, _DIGITS) for name, value in values.items()}


def _rows(
    picture: ScoredPicture, scale: int, perceptual: PerceptualScores | None
) -> list[dict[str, str | float]]:
    """A row of mean scores per model, and one for the samples where there are any."""
    sr_of = {model: [sr] for model, sr in picture.pictures.items()}
    if picture.samples:
        sr_of[SAMPLES] = list(picture.samples)
    scored: dict[str, list[dict[str, float]]] = {}
    for model, pictures in sr_of.items():
        try:
            scored[model] = [scores(sr, picture.hr, lr=picture.lr, scale=scale) for sr in pictures]
        except ProtocolError as error:
            raise ProtocolError(f"{picture.image}, {model}: {error}") from None
    if perceptual:
        flat = [row for rows in scored.values() for row in rows]
        everything = [sr for pictures in sr_of.values() for sr in pictures]
        for row, distances in zip(flat, perceptual(everything, picture.hr), strict=True):
            row |= {name: round(value, _DIGITS) for name, value in distances.items()}
    table: list[dict[str, str | float]] = []
    for model, rows in scored.items():
        mean = {
            name: round(sum(row[name] for row in rows) / len(rows), _DIGITS) for name in rows[0]
        }
        table.append({"image": picture.image, "model": model, **mean})
    if picture.samples:
        table[-1]["diversity"] = round(diversity(picture.samples), _DIGITS)
    return table


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"


def check_fit(
    images: Sequence[tuple[str, Picture]],
    lr: Mapping[str, Picture] | None = None,
    *,
    scale: int,
    perceptual: bool = False,
) -> None:
    """Checks the sizes of HR, and of LR by name if given; AlexNet's strides need a least size."""
    if not images:
        raise ProtocolError("no picture to score. Add one to the test set.")
    min_side = max(WINDOW + 2 * scale, MIN_SIDE if perceptual else 0)
    small = [
        f"{name}: {_size(hr)}"
        for name, hr in images
        if min(side - side % scale for side in hr.shape[:2]) < min_side
    ]
    if small:
        raise ProtocolError(
            f"picture too small to score (got {listed(small, separator='; ')} pixels). Use at "
            f"least {min_side + -min_side % scale} pixels on both sides at scale {scale}"
            + (" with LPIPS." if perceptual else ".")
        )
    mismatched = [
        f"{name}: {_size(lr[name])} for {_size(hr)}"
        for name, hr in images
        if lr is not None and lr[name].shape[:2] != (hr.shape[0] // scale, hr.shape[1] // scale)
    ]
    if mismatched:
        raise ProtocolError(
            f"LR does not fit HR at scale {scale} (got {listed(mismatched, separator='; ')} "
            "pixels). Use LR of HR's size over the scale, rounded down, or other weights."
        )


def evaluate(
    upscalers: Mapping[str, Upscaler],
    images: Sequence[tuple[str, Picture]],
    *,
    scale: int,
    lr: Mapping[str, Picture] | None = None,
    perceptual: PerceptualScores | None = None,
    draw: Draw | None = None,
    show: Callable[[ScoredPicture], None] | None = None,
) -> pd.DataFrame:
    """Scores upscalers, uint8 LR (h, w, 3) to SR, on pictures; bicubic is always the first of them.

    `images` are names and HR, uint8 (H, W, 3), any size, cut to a multiple of `scale`. LR is made
    of HR, or given by name. `draw` draws samples of SR, whose mean scores and diversity are the row
    "samples". Without `perceptual`, LPIPS and DISTS are left out. `show` is called once a picture.

    Returns one row per picture and model: image, model, scores. A ProtocolError if there is no
    picture, one does not fit, or bicubic's mean PSNR-Y is so low that the protocol must be broken.
    """
    check_fit(images, lr, scale=scale, perceptual=perceptual is not None)
    models: dict[str, Upscaler] = {BASELINE: lambda lr: enlarge_image(lr, scale), **upscalers}
    rows: list[dict[str, str | float]] = []
    for place, (name, image) in enumerate(tqdm(images, "scores", disable=None, unit="picture")):
        hr = crop_to_multiple(image, scale)
        small = downscale(hr, scale) if lr is None else lr[name]
        pictures = {model: upscale(small) for model, upscale in models.items()}
        samples = draw(small, place) if draw else []
        picture = ScoredPicture(name, small, pictures, samples, hr)
        rows += _rows(picture, scale, perceptual)
        if show:
            show(picture)
    table = pd.DataFrame(rows)
    mean = float(table.loc[table["model"] == BASELINE, "psnr_y"].mean())
    if mean < _BROKEN:
        raise ProtocolError(
            f"bicubic: PSNR-Y is too low for photographs (got {mean:.2f} dB, not {_BROKEN:.0f} or "
            "more). Check that LR and HR belong together and that all values are in one range."
        )
    return table
