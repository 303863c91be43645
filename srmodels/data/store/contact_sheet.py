"""A contact sheet: a random sample of the stored patches, to look at what is trained on."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from srmodels.data.store.index import Row
from srmodels.data.store.reader import PatchStore
from srmodels.resize.tensors import enlarge_image

__all__ = ["Enlarging", "contact_sheet", "sample"]

Enlarging = Literal["nearest", "bicubic"]

_NARROWEST = 200  # pixels: a caption's lines fit
_GAP = 6
_FONT_SIZE, _LINE, _LINES = 12, 15, 3
_GROUND, _INK = (32, 32, 32), (224, 224, 224)
_LETTER = 7  # pixels, about


def sample(store: PatchStore, count: int, *, seed: int) -> list[int]:
    """Rows drawn at random without repetition, each as likely, in the store's order."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(store), min(count, len(store)), replace=False)
    return sorted(drawn.tolist())


def _shortened(name: str, letters: int) -> str:
    """A name whose end, where photographs differ, is kept; what the font lacks is replaced."""
    name = name.encode("latin-1", "replace").decode("latin-1")
    return name if len(name) <= letters else "..." + name[3 - letters :]


def _caption(row: Row, patch_size: int, letters: int) -> str:
    bottom, right = row.top + patch_size, row.left + patch_size
    size = "" if row.reduced_to == 1 else f" at {row.reduced_to:g}"
    return "\n".join(
        (
            _shortened(row.photo, letters - len(size)) + size,
            f"LR rows {row.top}-{bottom}, columns {row.left}-{right}",
            f"sharpness {row.sharpness:.1f}, shard {row.shard}:{row.row}",
        )
    )


def contact_sheet(store: PatchStore, rows: list[int], *, scale_lr: Enlarging) -> NDArray[np.uint8]:
    """Draws pairs of patches: HR, beside it LR enlarged to the same size, below both a caption.

    The caption has the photograph's name, to which share it was reduced before it was cut, the box
    in LR pixels, the sharpness and SHARD:ROW.

    Args:
        store: The patches.
        rows: Which of them.
        scale_lr: "nearest" shows LR's pixels, "bicubic" what a network has to improve on.

    Returns:
        uint8 (H, W, 3), about as high as wide.
    """
    side = store.patch_size * store.scale
    width = max(2 * side, _NARROWEST) + _GAP
    height = side + _LINES * _LINE + _GAP
    columns = max(1, min(len(rows), round(math.sqrt(len(rows) * height / width))))
    sheet = Image.new(
        "RGB",
        (columns * width + _GAP, math.ceil(len(rows) / columns) * height + _GAP),
        _GROUND,
    )
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_SIZE)
    for place, row in enumerate(rows):
        left, top = _GAP + place % columns * width, _GAP + place // columns * height
        hr, lr = store.pair(row)
        if scale_lr == "bicubic":
            large = enlarge_image(np.array(lr), store.scale)
        else:
            large = lr.repeat(store.scale, axis=0).repeat(store.scale, axis=1)
        sheet.paste(Image.fromarray(hr), (left, top))
        sheet.paste(Image.fromarray(large), (left + side, top))
        text = _caption(store.record(row), store.patch_size, (width - _GAP) // _LETTER)
        draw.multiline_text((left, top + side + 1), text, _INK, font, spacing=2)
    return np.asarray(sheet)
