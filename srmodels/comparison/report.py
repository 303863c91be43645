"""The report: one HTML file that needs nothing else, neither network nor other files."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import jinja2
from PIL import Image

from srmodels.comparison.charts import Chart, Series, scatter
from srmodels.comparison.cost import facts_of
from srmodels.comparison.curves import curve_charts
from srmodels.comparison.difference import better_direction
from srmodels.comparison.experiment import Experiment
from srmodels.comparison.gallery import Gallery
from srmodels.comparison.html_table import GREY, score_table
from srmodels.comparison.sample_images import Scene
from srmodels.comparison.text_table import few_notes
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.scores import BASELINE

__all__ = ["render_report"]

_QUALITY = 85  # of whole pictures; crops are lossless
_DISTORTION, _SHARPNESS, _PERCEPTION = "psnr_y", "sharpness", "lpips"


def _uri(picture: Picture, *, lossless: bool) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", lossless=lossless, quality=_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _distortion_chart(entries: Sequence[Experiment], name: str) -> Chart | None:
    """PSNR-Y against LPIPS where everyone has it, else against sharpness."""
    means = [entry.means(name, entry.row) for entry in entries]
    across = _PERCEPTION if all(_PERCEPTION in each for each in means if each) else _SHARPNESS
    rows = [(GREY, BASELINE, entries[0].means(name, BASELINE))]
    rows += [
        (place, entry.label, each)
        for place, (entry, each) in enumerate(zip(entries, means, strict=True))
    ]
    series = [
        Series(label=label, colour=colour, points=[(each[across], each[_DISTORTION])])
        for colour, label, each in rows
        if across in each and _DISTORTION in each
    ]
    if not series:
        return None
    return scatter(
        f"{name}: {_DISTORTION} against {across}",
        series,
        x_label=f"{across} (best: {better_direction(across)})",
        y_label=f"{_DISTORTION} (dB)",
    )


def _scene(scene: Scene, names: Sequence[str]) -> dict[str, object]:
    """A test picture as the template wants it: whole ones and, per window, the crops of all."""
    everyone = list(zip(["HR", *names], [scene.hr, *scene.pictures], strict=True))
    crops = [
        [
            (label, _uri(each[top : top + scene.size, left : left + scene.size], lossless=True))
            for label, each in everyone
        ]
        for top, left in scene.corners
    ]
    height, width = scene.hr.shape[:2]
    return {
        "name": scene.name,
        "height": height,
        "width": width,
        "size": scene.size,
        "corners": scene.corners,
        "whole": [(label, _uri(each, lossless=False)) for label, each in everyone],
        "crops": crops,
    }


def render_report(
    entries: Sequence[Experiment], pictures: Gallery, *, notes: Sequence[str], root: Path
) -> str:
    """Writes the report.

    Args:
        entries: Compared with the first; `check_comparable` has been asked about each.
        pictures: What to show of them.
        notes: What else a reader should know.
        root: The project's folder, whose metrics/recipes says what runs cost.

    Returns:
        HTML; whatever comes from users or files is escaped.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sets = [name for name in entries[0].sets() if entries[0].means(name, entries[0].row)]
    found = [_distortion_chart(entries, name) for name in sets]
    names = [BASELINE, *(entries[place].label for place in pictures.shown)]
    return environment.get_template("report.html").render(
        heading=f"{len(entries)} experiments compared" if len(entries) > 1 else entries[0].label,
        entries=[(entry, facts_of(entry, root=root)) for entry in entries],
        speeds={place: f"{speed:.2f}" for place, speed in pictures.speeds.items()},
        tables=[score_table(entries, name) for name in sets],
        scatters=[chart for chart in found if chart],
        curves=curve_charts(entries),
        scenes=[_scene(scene, names) for scene in pictures.scenes],
        reasons=pictures.reasons,
        protocol=entries[0].metrics.get("protocol") or {},
        notes=[*few_notes(entries), *notes],
    )
