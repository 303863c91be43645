"""What of the experiments can be seen: their generators' SR of the same test pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from srmodels.comparison.experiment import Experiment
from srmodels.comparison.fetch_weights import fetch
from srmodels.comparison.sample_images import Enlarging, Scene, View, make_scenes
from srmodels.errors import SrmodelsError, WeightsError

__all__ = ["Gallery", "gallery"]


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """What the models made of the test pictures.

    Attributes:
        scenes: One per picture.
        shown: The experiments with an SR in each scene, by their place, in its order.
        speeds: SR megapixels a second, by an experiment's place.
        reasons: Why an experiment, or everything, is not shown; a sentence each.
    """

    scenes: Sequence[Scene]
    shown: Sequence[int]
    speeds: Mapping[int, float]
    reasons: Sequence[str]


def _opened(
    entries: Sequence[Experiment], load: Callable[[Path], Enlarging], root: Path
) -> tuple[dict[int, Enlarging], list[str]]:
    """The generators that can be had, by their experiment's place, and why others cannot."""
    models: dict[int, Enlarging] = {}
    reasons = []
    for place, entry in enumerate(tqdm(entries, "weights", disable=None, unit="experiment")):
        try:
            with TemporaryDirectory() as folder:
                model = load(fetch(entry, Path(folder), root=root))
        except WeightsError as error:
            reasons.append(f"{entry.label}: {error}")
            continue
        scale = next(iter(models.values()), model).scale
        if model.scale == scale:
            models[place] = model
        else:
            reasons.append(f"{entry.label}: enlarges {model.scale} times, others {scale} times")
    return models, reasons


def gallery(
    entries: Sequence[Experiment], view: View, *, load: Callable[[Path], Enlarging], root: Path
) -> Gallery:
    """Fetches every experiment's weights and lets them enlarge the test pictures.

    Whatever cannot be shown is left out with its reason: scores can be compared without pictures.

    Args:
        entries: The experiments.
        view: Which pictures; with none of them nothing is fetched.
        load: Opens a file of weights; raises a WeightsError where it cannot.
        root: The project's folder.
    """
    models: dict[int, Enlarging] = {}
    reasons: list[str] = []
    scenes: list[Scene] = []
    speeds: list[float] = []
    if view.pictures:
        models, reasons = _opened(entries, load, root)
    if models:
        try:
            scenes, speeds = make_scenes(list(models.values()), view)
        except SrmodelsError as error:
            reasons.append(str(error))
    return Gallery(
        scenes=scenes,
        shown=list(models) if scenes else [],
        speeds=dict(zip(models, speeds, strict=False)),
        reasons=reasons,
    )
