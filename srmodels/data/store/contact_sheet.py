"""A contact sheet: a random sample of the stored patches."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from srmodels.data.store.index import Row
from srmodels.data.store.reader import PatchStore
from srmodels.resize.tensors import enlarge_image

Interpolation = Literal["nearest", "bicubic"]

_MIN_WIDTH = 200  # pixels, for the lines of a caption
_GAP = 6
_FONT_SIZE, _LINE_HEIGHT, _LINES = 12, 15, 3
_BACKGROUND, _TEXT = (32, 32, 32), (224, 224, 224)
_LETTER_WIDTH = 7  # pixels, about


def sample(store: PatchStore, count: int, *, seed: int) -> list[int]:
    """Draws rows without replacement, uniformly; sorted."""
    rng = np.random.default_rng(seed)
    return sorted(rng.choice(len(store), min(count, len(store)), replace=False).tolist())


def _shorten(name: str, letters: int) -> str:
    """Keeps the end of a name, where photographs differ; replaces what the font lacks."""
    name = name.encode("latin-1", "replace").decode("latin-1")
    return name if len(name) <= letters else "..." + name[3 - letters :]


def _caption(row: Row, patch_size: int, letters: int) -> str:
    bottom, right = row.top + patch_size, row.left + patch_size
    size = "" if row.reduced_to == 1 else f" at {row.reduced_to:g}"
    return (
        f"{_shorten(row.photo, letters - len(size))}{size}\n"
        f"LR rows {row.top}-{bottom}, columns {row.left}-{right}\n"
        f"sharpness {row.sharpness:.1f}, shard {row.shard}:{row.row}"
    )


def contact_sheet(
    store: PatchStore, rows: list[int], *, scale_lr: Interpolation
) -> NDArray[np.uint8]:
    """Each HR patch beside its enlarged LR patch, with a caption: uint8 (H, W, 3), about square."""
    side = store.patch_size * store.scale
    width = max(2 * side, _MIN_WIDTH) + _GAP
    height = side + _LINES * _LINE_HEIGHT + _GAP
    columns = max(1, min(len(rows), round(math.sqrt(len(rows) * height / width))))
    size = (columns * width + _GAP, math.ceil(len(rows) / columns) * height + _GAP)
    sheet = Image.new("RGB", size, _BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_SIZE)
    for place, row in enumerate(rows):
        left, top = _GAP + place % columns * width, _GAP + place // columns * height
        hr, lr = store.pair(row)
        if scale_lr == "bicubic":
            enlarged = enlarge_image(np.array(lr), store.scale)
        else:
            enlarged = lr.repeat(store.scale, axis=0).repeat(store.scale, axis=1)
        sheet.paste(Image.fromarray(hr), (left, top))
        sheet.paste(Image.fromarray(enlarged), (left + side, top))
        text = _caption(store.record(row), store.patch_size, (width - _GAP) // _LETTER_WIDTH)
        draw.multiline_text((left, top + side + 1), text, _TEXT, font, spacing=2)
    return np.asarray(sheet)
