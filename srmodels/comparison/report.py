"""The report of a comparison: one HTML file that loads nothing else."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from srmodels.comparison.charts import GREY, Series, scatter_chart, to_svg
from srmodels.comparison.curves import curve_charts
from srmodels.comparison.difference import better_direction
from srmodels.comparison.experiment import Experiment, cost_of
from srmodels.comparison.gallery import Gallery
from srmodels.comparison.html_table import score_table
from srmodels.comparison.lock import differing_settings
from srmodels.comparison.sample_images import SampleImage
from srmodels.comparison.text_table import small_set_notes
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.scores import BASELINE

_QUALITY = 85  # of whole pictures; crops are lossless


def data_uri(picture: Picture, *, lossless: bool) -> str:
    """A uint8 picture (H, W, 3) as the address of an <img>."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", lossless=lossless, quality=_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _chart(title: str, figure: Figure) -> tuple[str, Markup]:
    return title, Markup(to_svg(figure))  # noqa: S704 - matplotlib escapes text


def _scatter_charts(experiments: Sequence[Experiment], name: str) -> list[tuple[str, Markup]]:
    """PSNR-Y against LPIPS if all experiments have it, else against sharpness; at most one."""
    means = [experiment.means(name, experiment.row) for experiment in experiments]
    x = "lpips" if all("lpips" in scores for scores in means if scores) else "sharpness"
    rows = [(GREY, BASELINE, experiments[0].means(name, BASELINE))]
    labels = [experiment.label for experiment in experiments]
    rows += zip(range(len(labels)), labels, means, strict=True)
    series = [
        Series(label=label, colour=colour, points=[(scores[x], scores["psnr_y"])])
        for colour, label, scores in rows
        if x in scores and "psnr_y" in scores
    ]
    if not series:
        return []
    x_label = f"{x} (best: {better_direction(x)})"
    figure = scatter_chart(series, x_label=x_label, y_label="psnr_y (dB)")
    return [_chart(f"{name}: psnr_y against {x}", figure)]


def _image_context(image: SampleImage, names: Sequence[str]) -> dict[str, object]:
    """The template's values of a test image: whole pictures, and the crops of all."""
    pictures = list(zip(["HR", *names], [image.hr, *image.sr], strict=True))
    crops = [
        [
            (label, data_uri(sr[top : top + image.size, left : left + image.size], lossless=True))
            for label, sr in pictures
        ]
        for top, left in image.corners
    ]
    height, width = image.hr.shape[:2]
    return {
        "name": image.name,
        "height": height,
        "width": width,
        "size": image.size,
        "corners": image.corners,
        "pictures": [(label, data_uri(sr, lossless=False)) for label, sr in pictures],
        "crops": crops,
    }


@dataclass(frozen=True, kw_only=True)
class Section:
    """Experiments comparable with the first, and their pictures."""

    experiments: Sequence[Experiment]
    gallery: Gallery


def _section_context(
    section: Section, minutes: Mapping[str, float], root: Path
) -> dict[str, object]:
    experiments, gallery = section.experiments, section.gallery
    first = experiments[0]
    sets = [name for name in first.sets() if first.means(name, first.row)]
    names = [BASELINE, *(experiments[position].label for position in gallery.shown)]
    return {
        "first": first,
        "photographs": first.set_label(sets[0]),
        "rows": [
            (one, cost_of(one, root=root, minutes=minutes), settings)
            for one, settings in zip(
                experiments, differing_settings([one.lock for one in experiments]), strict=True
            )
        ],
        "speeds": {position: f"{speed:.2f}" for position, speed in gallery.speeds.items()},
        "tables": [score_table(experiments, name) for name in sets],
        "scatters": [chart for name in sets for chart in _scatter_charts(experiments, name)],
        "curves": [_chart(title, figure) for title, figure in curve_charts(experiments)],
        "images": [_image_context(image, names) for image in gallery.images],
        "reasons": gallery.reasons,
        "protocol": first.metrics.get("protocol") or {},
        "notes": small_set_notes(experiments),
    }


def render_report(
    sections: Sequence[Section],
    *,
    notes: Sequence[str],
    root: Path,
    minutes: Mapping[str, float] | None = None,
    lead: Mapping[str, object] | None = None,
) -> str:
    """Renders sections of comparable experiments as HTML; text of users and files is escaped.

    `minutes` are minutes of training by the MD5 of weights; `lead` are the values of study.html,
    which then comes first.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    count = sum(len(section.experiments) for section in sections)
    return environment.get_template("report.html").render(
        heading=f"{count} experiments compared" if count > 1 else sections[0].experiments[0].label,
        sections=[_section_context(section, minutes or {}, root) for section in sections],
        notes=notes,
        lead=lead,
    )
