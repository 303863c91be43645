"""The verdict of a study in words, and what the first screen of its report shows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from srmodels.comparison.charts import GREY, Series, scatter_chart, to_svg
from srmodels.comparison.difference import NO_DIFFERENCE
from srmodels.comparison.experiment import OWN_SET, Experiment, cost_of
from srmodels.comparison.report import data_uri
from srmodels.comparison.sample_images import SampleImage
from srmodels.comparison.seeds import SeedDifference, seed_differences
from srmodels.comparison.text_table import format_bounds, format_score
from srmodels.data.photos.enough import images_needed
from srmodels.errors import listed
from srmodels.evaluation.scores import BASELINE
from srmodels.study.plan import Plan

_NAMES = {  # of the scores that a verdict names, the first ones first
    "lpips": "LPIPS",
    "dists": "DISTS",
    "psnr_y": "PSNR-Y",
    "ssim_y": "SSIM-Y",
    "sharpness": "sharpness",
    "colour_shift": "colour shift",
}
_MEANING = (
    "LPIPS and DISTS say how alike two pictures look; PSNR-Y and SSIM-Y how close pixels are."
)
_CROPS = 3

Groups = Mapping[str, Sequence[Experiment]]  # the experiments of each recipe, by seed


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One recipe against the first."""

    recipe: str
    first: str
    differences: Sequence[SeedDifference]  # of the scores in _NAMES, in that order

    def _with(self, word: str) -> list[str]:
        return [
            f"{_NAMES[d.score]} ({format_score(d.difference, sign=True)}, 95 %: "
            f"{format_bounds(d.bounds, sign=True)})"
            for d in self.differences
            if d.verdict.endswith(word)
        ]

    def sentence(self) -> str:
        """Which recipe is better in what, with intervals."""
        parts = [
            f"{word} in {listed(scores, most=len(_NAMES))}"
            for word in ("better", "worse")
            if (scores := self._with(word))
        ]
        same = [_NAMES[d.score] for d in self.differences if d.verdict == NO_DIFFERENCE]
        if same:
            parts.append(f"no difference shown in {', '.join(same)}")
        return f"{self.recipe} against {self.first}: {'; '.join(parts) or 'no interval'}."

    def headline(self) -> str:
        """The same in a few words."""
        better, worse = (
            [_NAMES[d.score] for d in self.differences if d.verdict.endswith(word)]
            for word in ("better", "worse")
        )
        if not better and not worse:
            return f"No difference shown between {self.recipe} and {self.first}"
        perhaps = "perhaps " if any(d.verdict[:1] == "p" for d in self.differences) else ""
        parts = [f"{perhaps}better in {' and '.join(better[:2])}"] if better else []
        parts += [f"{perhaps}worse in {' and '.join(worse[:2])}"] if worse else []
        return f"{self.recipe} is {', '.join(parts)} than {self.first}"


def verdicts(groups: Groups) -> list[Verdict]:
    """Every recipe against the first one, on the study's own test photographs."""
    first, *others = groups
    return [
        Verdict(
            recipe=recipe,
            first=first,
            differences=sorted(
                (
                    difference
                    for difference in seed_differences(groups[first], groups[recipe], OWN_SET)
                    if difference.score in _NAMES
                ),
                key=lambda difference: list(_NAMES).index(difference.score),
            ),
        )
        for recipe in others
    ]


def how_sure(verdict: Verdict, seeds: int) -> str:
    """What the intervals cover, and how many photographs would show more."""
    found = verdict.differences[0]
    trainings = f"{seeds} trainings of each recipe" if seeds > 1 else "one training of each recipe"
    text = (
        f"The intervals cover the choice of the {found.images} test photographs"
        + (" and of the seeds" if seeds > 1 else ", not of the seed")
        + f" ({trainings}). Of twenty scores without a difference about one would show one."
    )
    psnr = next((d for d in verdict.differences if d.score == "psnr_y"), None)
    if psnr is None:
        return text
    of_pictures = psnr.spread / math.sqrt(psnr.images)
    of_seeds = psnr.seed_spread * math.sqrt(2 / seeds)
    text += f" In PSNR-Y the difference varies by {psnr.spread:.2f} dB from picture to picture"
    if of_seeds > of_pictures:
        return (
            f"{text}, and a recipe by {psnr.seed_spread:.2f} dB from seed to seed, which matters "
            f"more: --seeds {2 * seeds} narrows the intervals."
        )
    return f"{text}; about {images_needed(psnr.spread)} test photographs would show 0.1 dB."


def _plane(groups: Groups) -> Markup:
    """PSNR-Y against LPIPS (else sharpness) of every training; a colour per recipe."""
    all_means = {
        recipe: [one.means(OWN_SET, one.row) for one in members]
        for recipe, members in groups.items()
    }
    every = [means for members in all_means.values() for means in members]
    x = "lpips" if all("lpips" in means for means in every) else "sharpness"
    baseline = next(iter(groups.values()))[0].means(OWN_SET, BASELINE)
    series = [Series(label=BASELINE, colour=GREY, points=[(baseline[x], baseline["psnr_y"])])]
    for colour, (recipe, members) in enumerate(all_means.items()):
        for seed, means in enumerate(members):
            label = f"{recipe} {seed}" if len(members) > 1 else recipe
            point = (means[x], means["psnr_y"])
            series.append(Series(label=label, colour=colour + 1, points=[point]))
    best = "less looks more alike" if x == "lpips" else "1 is best"
    figure = scatter_chart(series, x_label=f"{_NAMES[x]} ({best})", y_label="PSNR-Y (dB)")
    return Markup(to_svg(figure))  # noqa: S704 - matplotlib escapes text


def _crops(images: Sequence[SampleImage], names: Sequence[str]) -> list[dict[str, object]]:
    """The crop of each picture in which the recipes differ most."""
    rows: list[dict[str, object]] = []
    for image in images[:_CROPS]:
        top, left = image.corners[0]
        cells = [
            (label, data_uri(p[top : top + image.size, left : left + image.size], lossless=True))
            for label, p in zip(["HR", *names], [image.hr, *image.sr], strict=True)
        ]
        rows.append({"name": image.name, "cells": cells})
    return rows


def _table(verdict: Verdict) -> list[tuple[str, ...]]:
    return [
        (
            _NAMES[d.score],
            d.direction,
            format_score(d.first),
            format_score(d.other),
            format_score(d.difference, sign=True),
            format_bounds(d.bounds, sign=True) or "-",
            d.verdict or "-",
            next((word for word in ("better", "worse") if d.verdict.endswith(word)), ""),
        )
        for d in verdict.differences
    ]


def _costs(groups: Groups, minutes: Mapping[str, float], root: Path) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for recipe, members in groups.items():
        known = [minutes[one.weights] for one in members if one.weights in minutes]
        mean = f"{sum(known) / len(known):.1f}" if known else "-"
        total = f"{sum(known):.1f}" if len(known) == len(members) else "-"
        parameters = cost_of(members[0], root=root)["parameters"]
        rows.append((recipe, parameters, str(len(members)), mean, total))
    return rows


def lead_of(
    groups: Groups,
    plan: Plan,
    images: Sequence[SampleImage],
    *,
    shown: Sequence[str],
    minutes: Mapping[str, float],
    commands: Sequence[str],
    root: Path,
) -> dict[str, Any]:
    """The values of the template study.html.

    Args:
        groups: The experiments by recipe, in the order of the seeds.
        plan: The study.
        images: Test images by the first training of the recipes `shown`.
        shown: Those whose weights could be fetched.
        minutes: Minutes of training by the MD5 of weights.
        commands: The commands of DVC that trained.
        root: The repository.
    """
    found = verdicts(groups)
    return {
        "headlines": [verdict.headline() for verdict in found],
        "sentences": [verdict.sentence() for verdict in found],
        "sure": how_sure(found[0], plan.seeds),
        "meaning": _MEANING,
        "plane": _plane(groups),
        "crops": _crops(images, [BASELINE, *shown]),
        "tables": [(verdict.first, verdict.recipe, _table(verdict)) for verdict in found],
        "costs": _costs(groups, minutes, root),
        "steps": plan.steps,
        "commands": list(commands),
    }
