"""The README's first picture: crops of a test photograph from LR to HR, chosen by a rule.

The rule: of all crops on a grid of half their size, away from the edges, the one of which the
generator brings LPIPS furthest below bicubic's.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from srmodels.evaluation.metrics.luma import Picture

SIDE = 128  # HR pixels of a crop
_SHOWN = 3  # drawn pixels per HR pixel
_GAP, _LABEL = 8, 26


def _corners(picture: Picture) -> Iterator[tuple[int, int]]:
    height, width = picture.shape[:2]
    for top in range(SIDE // 2, height - SIDE - SIDE // 2 + 1, SIDE // 2):
        for left in range(SIDE // 2, width - SIDE - SIDE // 2 + 1, SIDE // 2):
            yield top, left


def _crop(picture: Picture, corner: tuple[int, int]) -> Picture:
    top, left = corner
    return picture[top : top + SIDE, left : left + SIDE]


def best_corner(
    bicubic: Picture, sr: Picture, hr: Picture, lpips: Callable[[Picture, Picture], float]
) -> tuple[float, tuple[int, int]]:
    """The largest gain of LPIPS over bicubic, and the top left corner of its crop.

    The pictures are uint8 (H, W, 3) of one size, at least 2 SIDE.
    """

    def gain(corner: tuple[int, int]) -> float:
        truth = _crop(hr, corner)
        return lpips(_crop(bicubic, corner), truth) - lpips(_crop(sr, corner), truth)

    return max((gain(corner), corner) for corner in _corners(hr))


def draw_crops(pictures: Mapping[str, Picture], corner: tuple[int, int]) -> Picture:
    """Draws the same crop of every picture, uint8 (H, W, 3) by caption, in a row."""
    side = SIDE * _SHOWN
    paper = Image.new("RGB", (len(pictures) * (side + _GAP) - _GAP, side + _LABEL), "white")
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(18)
    for place, (name, picture) in enumerate(pictures.items()):
        x = place * (side + _GAP)
        draw.text((x + side / 2, _LABEL / 2), name, fill="black", font=font, anchor="mm")
        crop = Image.fromarray(np.ascontiguousarray(_crop(picture, corner)))
        paper.paste(crop.resize((side, side), Image.Resampling.NEAREST), (x, _LABEL))
    drawn: Picture = np.array(paper)
    return drawn
