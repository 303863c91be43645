"""Scores of whole test sets as files: metrics, the table per picture, and pictures side by side."""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pandas as pd
from PIL import Image

from srmodels.errors import WeightsError
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.pictures import comparison
from srmodels.evaluation.scores import Upscaler, evaluate, means, protocol
from srmodels.evaluation.table import short_table

__all__ = ["BUNDLED", "Scored", "evaluate_sets"]

BUNDLED = "test"  # the set whose every picture is drawn
DRAWN = 4  # of every other set

log = logging.getLogger(__name__)


class Scored(Protocol):
    """A generator that says what it is: `srmodels.inference.generator.Generator` is one."""

    @property
    def scale(self) -> int:
        """How many times larger SR is."""
        ...

    @property
    def parameters(self) -> int:
        """How many it has."""
        ...

    def __call__(self, lr: Picture, /) -> Picture:
        """Enlarges uint8 (H, W, 3)."""
        ...


def _drawer(
    name: str, folder: Path, scale: int
) -> Callable[[str, Picture, Mapping[str, Picture], Picture], None]:
    """Draws the pictures of one set as they are scored."""
    drawn: list[str] = []

    def draw(image: str, lr: Picture, pictures: Mapping[str, Picture], hr: Picture) -> None:
        if name == BUNDLED or len(drawn) < DRAWN:
            drawn.append(image)
            sheet = comparison(lr, pictures, hr, scale=scale)
            Image.fromarray(sheet).save(folder / f"{name}-{image.replace('/', '__')}.png")

    return draw


def evaluate_sets(
    generators: Mapping[str, Scored],
    sets: Mapping[str, list[tuple[str, Picture]]],
    *,
    scale: int,
    root: Path,
    perceptual: str = "none",
) -> None:
    """Scores every set and writes metrics/evaluate.json, plots/per_image.csv and samples/.

    Args:
        generators: By name; the last is the final one.
        sets: HR pictures, (name, uint8 (H, W, 3)), by the set's name.
        scale: HR over LR.
        root: Where the three folders lie.
        perceptual: Whose features the training's perceptual loss compared ("imagenet", "random", a
            path), or "none"; written beside the scores, which it colours.

    Raises:
        WeightsError: A generator is for another scale.
        ProtocolError: A picture cannot be scored, or bicubic shows that the protocol is broken.
    """
    for name, generator in generators.items():
        if generator.scale != scale:
            raise WeightsError(f"{name}: enlarges {generator.scale} times, but scale is {scale}")
    for made in ("metrics", "plots", "samples"):
        (root / made).mkdir(parents=True, exist_ok=True)
    for old in (root / "samples").glob("*.png"):
        old.unlink()
    upscalers: dict[str, Upscaler] = dict(generators)
    metrics: dict[str, object] = {}
    tables = []
    for name, pictures in sets.items():
        draw = _drawer(name, root / "samples", scale)
        table = evaluate(upscalers, pictures, scale=scale, show=draw)
        metrics[name] = means(table)
        table.insert(0, "set", name)
        tables.append(table)
    metrics["protocol"] = protocol(scale)
    metrics["perceptual"] = [perceptual]  # a list: `dvc metrics` shows numbers only
    metrics["parameters"] = list(generators.values())[-1].parameters
    pd.concat(tables).to_csv(root / "plots" / "per_image.csv", index=False, lineterminator="\n")
    text = json.dumps(metrics, indent=2) + "\n"
    (root / "metrics" / "evaluate.json").write_text(text, encoding="utf-8")
    log.info("%s", short_table(metrics))
