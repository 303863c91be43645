"""Crops of the test photographs from LR to HR, chosen by a rule.

The rule ranks all crops on a grid of half their size, away from the edges, by how far the generator
brings LPIPS below bicubic's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from reports.command_line import ROOT
from srmodels.errors import DataError, WeightsError
from srmodels.evaluation.metrics.luma import Picture
from srmodels.images.readers.folder import whole_images
from srmodels.inference.weights.open_weights import load_for_evaluation
from srmodels.resize.images import crop_to_multiple, downscale
from srmodels.resize.tensors import enlarge_image

SIDE = 128  # HR pixels of a crop
SCALE = 4
_SHOWN = 3  # drawn pixels per HR pixel
_GAP, _LABEL = 8, 26

Corner = tuple[int, int]  # top and left
Gain = tuple[float, Corner]


def enlarged_photographs() -> Iterator[tuple[str, dict[str, Picture]]]:
    """The names of the test photographs, and LR, bicubic, the two generators' SR and HR of each.

    Raises:
        WeightsError, DataError: The pipeline has not run.
    """
    weights, folder = ROOT / "weights", ROOT / "data" / "patches" / "test"
    if not (weights / "generator.safetensors").is_file():
        raise WeightsError(f"{weights}: no generator. Train one with `make repro`.")
    if not folder.is_dir():
        raise DataError(f"{folder}: no test photographs. Cut them with `dvc repro patches`.")
    generators = load_for_evaluation(
        weights / "generator.safetensors", pretrained=weights / "pretrained.safetensors"
    )
    for name, image in whole_images(folder):
        hr = crop_to_multiple(image, SCALE)
        lr = downscale(hr, SCALE)
        yield (
            name,
            {
                f"LR (1/{SCALE})": lr.repeat(SCALE, axis=0).repeat(SCALE, axis=1),
                "bicubic": enlarge_image(lr, SCALE),
                **{label: upscale(lr) for label, upscale in generators.items()},
                "HR": hr,
            },
        )


def _corners(picture: Picture) -> Iterator[Corner]:
    height, width = picture.shape[:2]
    for top in range(SIDE // 2, height - SIDE - SIDE // 2 + 1, SIDE // 2):
        for left in range(SIDE // 2, width - SIDE - SIDE // 2 + 1, SIDE // 2):
            yield top, left


def crop(picture: Picture, corner: Corner) -> Picture:
    """The crop of a picture uint8 (H, W, 3) at a corner."""
    top, left = corner
    return np.ascontiguousarray(picture[top : top + SIDE, left : left + SIDE])


def ranked_crops(
    pictures: Mapping[str, Picture], lpips: Callable[[Picture, Picture], float]
) -> list[Gain]:
    """The gain of LPIPS over bicubic and the corner of each crop, the largest gain first.

    The pictures (bicubic, generator, HR) are uint8 (H, W, 3) of one size, at least 2 SIDE.
    """

    def gain(corner: Corner) -> float:
        bicubic, sr, hr = (crop(pictures[key], corner) for key in ("bicubic", "generator", "HR"))
        return lpips(bicubic, hr) - lpips(sr, hr)

    return sorted(((gain(corner), corner) for corner in _corners(pictures["HR"])), reverse=True)


def chosen_crops(ranked: Sequence[Gain]) -> dict[str, Gain]:
    """The best crop, the next best that does not overlap with it, and the worst."""
    best, worst = ranked[0], ranked[-1]

    def is_apart(one: Gain, other: Gain) -> bool:
        return any(abs(a - b) >= SIDE for a, b in zip(one[1], other[1], strict=True))

    apart = [found for found in ranked[1:-1] if is_apart(found, best) and is_apart(found, worst)]
    return {"gains most": best, **dict(zip(["gains next"], apart, strict=False))} | (
        {"gains least": worst} if is_apart(worst, best) else {}
    )


def draw_crops(pictures: Mapping[str, Picture], corner: Corner) -> Picture:
    """Draws the same crop of every picture, uint8 (H, W, 3) by caption, in a row."""
    side = SIDE * _SHOWN
    paper = Image.new("RGB", (len(pictures) * (side + _GAP) - _GAP, side + _LABEL), "white")
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(18)
    for place, (name, picture) in enumerate(pictures.items()):
        x = place * (side + _GAP)
        draw.text((x + side / 2, _LABEL / 2), name, fill="black", font=font, anchor="mm")
        part = Image.fromarray(crop(picture, corner))
        paper.paste(part.resize((side, side), Image.Resampling.NEAREST), (x, _LABEL))
    drawn: Picture = np.array(paper)
    return drawn
