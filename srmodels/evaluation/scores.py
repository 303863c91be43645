"""What the pipeline says about an upscaler: scores of whole pictures, made by one protocol."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from tqdm import tqdm

from srmodels.errors import ProtocolError
from srmodels.evaluation.checkerboard import checkerboard
from srmodels.evaluation.colour import colour_scores
from srmodels.evaluation.luma import Picture, luma_pair
from srmodels.evaluation.protocol import PROTOCOL, protocol
from srmodels.evaluation.psnr import psnr
from srmodels.evaluation.sharpness import sharpness
from srmodels.evaluation.ssim import ssim
from srmodels.resize import crop_to_multiple, enlarge_image, reduce_image

__all__ = [
    "BASELINE",
    "PROTOCOL",
    "EvaluateSettings",
    "Upscaler",
    "evaluate",
    "means",
    "protocol",
    "scores",
]

Upscaler = Callable[[Picture], Picture]
BASELINE = "bicubic"
_BROKEN = 20.0  # dB; no set of photographs has a bicubic this low unless something is wrong
_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    """What is scored besides the bundled test pictures.

    Attributes:
        sets: Further test sets: a name for the metrics to the folder of HR pictures.
        tile: Side of the tiles a large picture is enlarged in, in LR pixels.
    """

    sets: dict[str, str] = field(default_factory=dict)
    tile: int = 256

    def __post_init__(self) -> None:
        """Checks names and range."""
        for name in self.sets:
            if not name.isidentifier() or name in ("test", "protocol", "parameters"):
                raise ValueError(
                    f"sets must be named by letters, digits and _ (found {name!r}), "
                    "and not test, protocol or parameters"
                )
        if self.tile < 32:
            raise ValueError("tile must be 32 or more")


def scores(sr: Picture, hr: Picture, *, scale: int) -> dict[str, float]:
    """All scores of one picture.

    Args:
        sr: uint8 (H, W, 3), sRGB.
        hr: The same size.
        scale: How many times larger SR is than the LR it was made from.

    Returns:
        psnr_y (dB), ssim_y, sharpness, checkerboard (SR over HR), colour_shift (CIEDE2000) and
        the tint it consists of: shift_l, shift_a, shift_b. Rounded to 6 decimals.

    Raises:
        ProtocolError: The sizes differ, or the picture is too small.
    """
    y = luma_pair(sr, hr, border=scale)
    shift, (lightness, red, yellow) = colour_scores(sr, hr)
    made = {
        "psnr_y": psnr(*y),
        "ssim_y": ssim(*y),
        "sharpness": sharpness(*y),
        "colour_shift": shift,
        "checkerboard": checkerboard(*y, scale=scale),
        "shift_l": lightness,
        "shift_a": red,
        "shift_b": yellow,
    }
    return {name: round(value, _DIGITS) for name, value in made.items()}


def _nothing(_name: str, _lr: Picture, _pictures: Mapping[str, Picture], _hr: Picture) -> None:
    pass


def evaluate(
    upscalers: Mapping[str, Upscaler],
    images: Sequence[tuple[str, Picture]],
    *,
    scale: int,
    show: Callable[[str, Picture, Mapping[str, Picture], Picture], None] = _nothing,
) -> pd.DataFrame:
    """Scores upscalers on pictures; bicubic always is one of them, and the first.

    Args:
        upscalers: By name: uint8 LR (h, w, 3) to uint8 SR (scale h, scale w, 3).
        images: Names and HR pictures, uint8 (H, W, 3), any size; cut to a multiple of `scale`.
        scale: How many times LR is smaller.
        show: Called once a picture with its name, LR, every SR by model, and the cut HR.

    Returns:
        One row per picture and model: image, model, and the columns of `scores`.

    Raises:
        ProtocolError: There is no picture, one does not fit, or bicubic is so bad on average that
            the protocol must be broken.
    """
    if not images:
        raise ProtocolError("no picture to score; a test set needs at least one")
    everyone: dict[str, Upscaler] = {BASELINE: lambda lr: enlarge_image(lr, scale), **upscalers}
    rows: list[dict[str, str | float]] = []
    for name, whole in tqdm(images, "scores", disable=None, unit="picture"):
        hr = crop_to_multiple(whole, scale)
        lr = reduce_image(hr, scale)
        pictures = {model: upscale(lr) for model, upscale in everyone.items()}
        for model, sr in pictures.items():
            try:
                rows.append({"image": name, "model": model, **scores(sr, hr, scale=scale)})
            except ProtocolError as error:
                raise ProtocolError(f"{name}, {model}: {error}") from None
        show(name, lr, pictures, hr)
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


def means(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The mean of every score over the pictures, by model and score, in the table's order."""
    columns = [name for name in table.columns if name not in ("image", "model")]
    found: dict[str, dict[str, float]] = {}
    for model in dict.fromkeys(table["model"]):
        rows = table[table["model"] == model]
        found[str(model)] = {name: round(float(rows[name].mean()), _DIGITS) for name in columns}
    return found
