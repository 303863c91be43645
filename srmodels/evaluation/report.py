"""Scores of whole test sets as files: metrics, the table per picture, and pictures side by side."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

import pandas as pd
from PIL import Image

from srmodels.errors import ProtocolError, WeightsError
from srmodels.evaluation.lpips import Distance
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.means import means
from srmodels.evaluation.pictures import comparison
from srmodels.evaluation.protocol import ENSEMBLE, versions
from srmodels.evaluation.samples import Sampled, Sampling, drawing, strip
from srmodels.evaluation.scores import Shown, evaluate, protocol
from srmodels.evaluation.table import short_table

__all__ = ["BUNDLED", "Scored", "evaluate_sets", "metrics_of"]

BUNDLED = "test"  # the set whose every picture is drawn
DRAWN = 4  # of every other set
NO_SAMPLES = Sampling(number=0)

log = logging.getLogger(__name__)


class Scored(Sampled, Protocol):
    """A generator that says what it is, as `srmodels.inference` has one."""

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


def _nothing(_name: str, _shown: Shown) -> None:
    pass


def _drawer(folder: Path, scale: int) -> Callable[[str, Shown], None]:
    """Draws pictures as they are scored."""
    drawn: Counter[str] = Counter()

    def draw(name: str, shown: Shown) -> None:
        drawn[name] += 1
        if name != BUNDLED and drawn[name] > DRAWN:
            return
        stem = f"{name}-{shown.image.replace('/', '__')}"
        sheet = comparison(shown.lr, shown.pictures, shown.hr, scale=scale)
        Image.fromarray(sheet).save(folder / f"{stem}.png")
        if shown.samples:
            sheet = strip(shown.pictures, shown.samples, shown.hr, scale=scale)
            Image.fromarray(sheet).save(folder / f"{stem}-samples.png")

    return draw


def metrics_of(
    generators: Mapping[str, Scored],
    sets: Mapping[str, list[tuple[str, Picture]]],
    *,
    scale: int,
    perceptual: str | None = None,
    sampling: Sampling = NO_SAMPLES,
    alpha: float | None = None,
    lr: Mapping[str, Mapping[str, Picture]] | None = None,
    lpips: Distance | None = None,
    show: Callable[[str, Shown], None] = _nothing,
) -> tuple[dict[str, object], pd.DataFrame]:
    """Scores every set.

    Args:
        generators: By name; the last is the final one, or its self-ensemble. None: bicubic alone.
        sets: HR pictures, (name, uint8 (H, W, 3)), by the set's name.
        scale: HR over LR.
        perceptual: Whose features the training's perceptual loss compared ("imagenet", "random", a
            path), or "none"; written beside the scores, which it colours. None leaves it out.
        sampling: How the final generator's samples are drawn, where it has any.
        alpha: Its share in the generator named "interpolated"; None where there is none.
        lr: LR pictures by image, for the sets that bring their own.
        lpips: What computes that score; None leaves it out.
        show: Called once a picture, with its set's name.

    Returns:
        What the metrics file holds, the mean scores by set and model first; and one row per set,
        picture and model.

    Raises:
        WeightsError: A generator is for another scale.
        ProtocolError: A picture cannot be scored, or bicubic shows that the protocol is broken.
    """
    for name, generator in generators.items():
        if generator.scale != scale:
            raise WeightsError(f"{name}: enlarges {generator.scale} times, but scale is {scale}")
    own = [each for name, each in generators.items() if not name.endswith(ENSEMBLE)]
    final = own[-1] if own else None
    draw = drawing(final, sampling) if final else None
    metrics: dict[str, object] = {}
    tables = []
    for name, pictures in sets.items():
        try:
            table = evaluate(
                generators,
                pictures,
                scale=scale,
                lr=(lr or {}).get(name),
                lpips=lpips,
                draw=draw,
                show=partial(show, name),
            )
        except ProtocolError as error:
            raise ProtocolError(f"{name}: {error}") from None
        metrics[name] = means(table)
        table.insert(0, "set", name)
        tables.append(table)
    metrics["protocol"] = protocol(
        scale,
        sampling=sampling if draw else None,
        alpha=alpha,
        given_lr=bool(lr),
        lpips=lpips is not None,
        ensemble=len(own) < len(generators),
    )
    metrics["versions"] = versions()
    if perceptual is not None:
        metrics["perceptual"] = [perceptual]  # a list: `dvc metrics` shows numbers only
    metrics["parameters"] = final.parameters if final else 0
    return metrics, pd.concat(tables)


def evaluate_sets(
    generators: Mapping[str, Scored],
    sets: Mapping[str, list[tuple[str, Picture]]],
    *,
    scale: int,
    root: Path,
    perceptual: str = "none",
    sampling: Sampling = NO_SAMPLES,
    alpha: float | None = None,
    lpips: Distance | None = None,
) -> None:
    """Scores every set and writes metrics/evaluate.json, plots/per_image.csv and samples/.

    Args:
        generators: As for `metrics_of`; at least one.
        sets: As for `metrics_of`.
        scale: HR over LR.
        root: Where the three folders lie.
        perceptual: As for `metrics_of`.
        sampling: As for `metrics_of`.
        alpha: As for `metrics_of`.
        lpips: As for `metrics_of`.

    Raises:
        WeightsError: A generator is for another scale.
        ProtocolError: A picture cannot be scored, or bicubic shows that the protocol is broken.
    """
    for made in ("metrics", "plots", "samples"):
        (root / made).mkdir(parents=True, exist_ok=True)
    for old in (root / "samples").glob("*.png"):
        old.unlink()
    show = _drawer(root / "samples", scale)
    metrics, table = metrics_of(
        generators,
        sets,
        scale=scale,
        perceptual=perceptual,
        sampling=sampling,
        alpha=alpha,
        lpips=lpips,
        show=show,
    )
    table.to_csv(root / "plots" / "per_image.csv", index=False, lineterminator="\n")
    text = json.dumps(metrics, indent=2) + "\n"
    (root / "metrics" / "evaluate.json").write_text(text, encoding="utf-8")
    log.info("%s", short_table(metrics))
