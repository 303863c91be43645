"""Scores of test sets as files: metrics, the table per picture, and pictures side by side."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import pandas as pd
from PIL import Image

from srmodels.atomic import replacing, write_bytes, write_json
from srmodels.errors import ProtocolError, WeightsError
from srmodels.evaluation.means import means
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.perceptual import PerceptualScores
from srmodels.evaluation.pictures import comparison
from srmodels.evaluation.plane import draw_plane
from srmodels.evaluation.protocol import ENSEMBLE, STRENGTH, protocol, versions
from srmodels.evaluation.samples import Sampled, Sampling, drawing, strip
from srmodels.evaluation.scores import ScoredPicture, evaluate
from srmodels.evaluation.table import short_table

BUNDLED = "test"  # the set of which every picture is drawn
DRAWN = 4  # pictures of every other set
PLANE = "perception-distortion.png"
NO_SAMPLES = Sampling(number=0)

log = logging.getLogger(__name__)


class Scored(Sampled, Protocol):
    """A generator, as in `srmodels.inference`."""

    @property
    def scale(self) -> int:
        """How many times larger SR is."""

    @property
    def parameters(self) -> int:
        """The number of parameters."""

    def __call__(self, lr: Picture, /) -> Picture:
        """Enlarges uint8 (H, W, 3)."""


def _write_png(path: Path, picture: Picture) -> None:
    with replacing(path) as file:
        Image.fromarray(picture).save(file, "PNG")


def _drawer(folder: Path, scale: int) -> Callable[[str, ScoredPicture], None]:
    drawn: Counter[str] = Counter()

    def draw(name: str, picture: ScoredPicture) -> None:
        drawn[name] += 1
        if name != BUNDLED and drawn[name] > DRAWN:
            return
        stem = f"{name}-{picture.image.replace('/', '__')}"
        pictures = {
            model: sr for model, sr in picture.pictures.items() if not model.startswith(STRENGTH)
        }
        sheet = comparison(picture.lr, pictures, picture.hr, scale=scale)
        _write_png(folder / f"{stem}.png", sheet)
        if picture.samples:
            sheet = strip(picture.pictures, picture.samples, picture.hr, scale=scale)
            _write_png(folder / f"{stem}-samples.png", sheet)

    return draw


def metrics_of(
    generators: Mapping[str, Scored],
    sets: Mapping[str, list[tuple[str, Picture]]],
    *,
    scale: int,
    features: str | None = None,
    sampling: Sampling = NO_SAMPLES,
    strengths: Sequence[float] = (),
    lr: Mapping[str, Mapping[str, Picture]] | None = None,
    degraded: Mapping[str, Mapping[str, Picture]] | None = None,
    perceptual: PerceptualScores | None = None,
    show: Callable[[str, ScoredPicture], None] | None = None,
) -> tuple[dict[str, object], pd.DataFrame]:
    """Scores every set of HR pictures, (name, uint8 (H, W, 3)).

    Of `generators`, by name, the last is the final one, or its self-ensemble; without any, bicubic
    is scored alone. `features` names the weights of the training's perceptual loss ("imagenet",
    "random", a path), or "none", in the metrics file, since they affect the scores. `strengths` are
    those of the generators "strength_S". `lr` has LR pictures by image, for the sets with their
    own, `degraded` those of sets whose LR was degraded. Without `perceptual`, LPIPS and DISTS are
    left out. `show` is called once a picture, with the set's name.

    Returns the metrics file's content, the mean scores by set and model first; and one row per set,
    picture and model.
    """
    for name, generator in generators.items():
        if generator.scale != scale:
            raise WeightsError(
                f"{name}: does not enlarge {scale} times (got {generator.scale}). Set scale to "
                f"{generator.scale}, or use other weights."
            )
    single = [generator for name, generator in generators.items() if not name.endswith(ENSEMBLE)]
    final = single[-1] if single else None
    draw = drawing(final, sampling) if final else None
    metrics: dict[str, object] = {}
    tables = []
    for name, pictures in sets.items():
        try:
            table = evaluate(
                generators,
                pictures,
                scale=scale,
                lr={**(lr or {}), **(degraded or {})}.get(name),
                perceptual=perceptual,
                draw=draw,
                show=partial(show, name) if show else None,
            )
        except ProtocolError as error:
            raise ProtocolError(f"{name}: {error}") from None
        metrics[name] = means(table)
        table.insert(0, "set", name)
        tables.append(table)
    metrics["protocol"] = protocol(
        scale,
        sampling=sampling if draw else None,
        strengths=strengths,
        given_lr=lr or (),
        made_lr=set(sets) - set(lr or ()) - set(degraded or ()),
        perceptual=[str(column) for table in tables for column in table],
        degraded=bool(degraded),
        ensemble=len(single) < len(generators),
    )
    metrics["versions"] = versions()
    if features is not None:
        metrics["perceptual"] = [features]  # a list: `dvc metrics` shows numbers only
    metrics["parameters"] = final.parameters if final else 0
    return metrics, pd.concat(tables)


def evaluate_sets(
    generators: Mapping[str, Scored],
    sets: Mapping[str, list[tuple[str, Picture]]],
    *,
    scale: int,
    root: Path,
    features: str = "none",
    sampling: Sampling = NO_SAMPLES,
    strengths: Sequence[float] = (),
    lr: Mapping[str, Mapping[str, Picture]] | None = None,
    degraded: Mapping[str, Mapping[str, Picture]] | None = None,
    perceptual: PerceptualScores | None = None,
) -> None:
    """`metrics_of` into `root`: metrics/evaluate.json, plots/per_image.csv and samples/."""
    for old in (root / "samples").glob("*.png"):
        old.unlink()
    metrics, table = metrics_of(
        generators,
        sets,
        scale=scale,
        features=features,
        sampling=sampling,
        strengths=strengths,
        lr=lr,
        degraded=degraded,
        perceptual=perceptual,
        show=_drawer(root / "samples", scale),
    )
    text = table.to_csv(index=False, lineterminator="\n")
    write_bytes(root / "plots" / "per_image.csv", text.encode("utf-8", "surrogateescape"))
    write_json(root / "metrics" / "evaluate.json", metrics)
    draw_plane(metrics, root / "samples" / PLANE)
    log.info("%s", short_table(metrics))
