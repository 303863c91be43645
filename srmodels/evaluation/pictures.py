"""Sheets of LR, every SR and HR side by side, whole and zoomed in."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from srmodels.evaluation.metrics.luma import Picture, luma

_PANEL = 384  # pixels across
_GAP = 12
_LABEL = 26
CROP = 96  # HR pixels across, each 4 x 4 in the zoomed row
_FONT_SIZE = 18
_BOX = (230, 30, 60)


def box_sums(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The sum over every window of `size` x `size`, by its top left corner."""
    table = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    sums: NDArray[np.float64] = (
        table[size:, size:] - table[:-size, size:] - table[size:, :-size] + table[:-size, :-size]
    )
    return sums


def most_detailed_crop(hr: Picture, size: int, *, multiple: int = 1) -> tuple[int, int]:
    """Top and left, multiples of `multiple`, of the crop with the most gradient energy on Y."""
    y = luma(hr)
    energy = np.zeros_like(y)
    energy[1:] += np.diff(y, axis=0) ** 2
    energy[:, 1:] += np.diff(y, axis=1) ** 2
    sums = box_sums(energy, size)
    # edges show padding rather than the network; small pictures have no choice
    margin = [min(size // 4, (length - 1) // 2) // multiple * multiple for length in sums.shape]
    inner = sums[margin[0] : sums.shape[0] - margin[0], margin[1] : sums.shape[1] - margin[1]]
    inner = inner[::multiple, ::multiple]
    row, column = divmod(int(inner.argmax()), inner.shape[1])
    return margin[0] + row * multiple, margin[1] + column * multiple


def sheet(panels: Mapping[str, Picture], *, corner: tuple[int, int], crop: int) -> Picture:
    """Draws a row of pictures, uint8 (H, W, 3) by caption, and below the same crop of each."""
    height, width = next(iter(panels.values())).shape[:2]
    top, left = corner
    shown = max(1, round(height * _PANEL / width))
    ratio_x, ratio_y = _PANEL / width, shown / height
    box = (left * ratio_x, top * ratio_y, (left + crop) * ratio_x, (top + crop) * ratio_y)

    size = _GAP + len(panels) * (_PANEL + _GAP), _LABEL + shown + _GAP + _PANEL + _GAP
    paper = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(paper)
    font = ImageFont.load_default(_FONT_SIZE)
    for index, (name, picture) in enumerate(panels.items()):
        x = _GAP + index * (_PANEL + _GAP)
        draw.text((x + _PANEL / 2, _LABEL / 2), name, fill="black", font=font, anchor="mm")
        panel = Image.fromarray(picture).resize((_PANEL, shown), Image.Resampling.LANCZOS)
        frame = ImageDraw.Draw(panel)  # of the crop
        frame.rectangle(box, outline="white", width=4)
        frame.rectangle((box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1), outline=_BOX, width=2)
        paper.paste(panel, (x, _LABEL))
        detail = Image.fromarray(picture[top : top + crop, left : left + crop])
        detail = detail.resize((_PANEL, _PANEL), Image.Resampling.NEAREST)
        paper.paste(detail, (x, _LABEL + shown + _GAP))
    drawn: Picture = np.array(paper)
    return drawn


def comparison(lr: Picture, pictures: Mapping[str, Picture], hr: Picture, *, scale: int) -> Picture:
    """Draws LR, every SR and HR, whole, and below the most detailed crop of each, enlarged.

    LR, uint8 (h, w, 3), is drawn as squares; SR (by model) and HR are (scale h, scale w, 3).
    """
    squares = lr.repeat(scale, axis=0).repeat(scale, axis=1)
    crop = min(CROP, *hr.shape[:2])
    return sheet(
        {f"LR (1/{scale})": squares, **pictures, "HR": hr},
        corner=most_detailed_crop(hr, crop, multiple=scale),
        crop=crop,
    )
