"""docs/GALLERY.md, docs/gallery/ and docs/slider.html, from the weights of the last run.

`python -m reports.gallery`, after `dvc repro`; `make pictures` runs it.
"""

import base64
import csv
import io
import shutil
import sys
from collections.abc import Callable, Mapping

import jinja2
from PIL import Image

from reports.command_line import ROOT
from reports.crops import SCALE, chosen_crops, draw_crops, enlarged_photographs, ranked_crops
from reports.markdown import fill_sections
from srmodels.errors import SrmodelsError
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.perceptual import open_lpips

DOCS = ROOT / "docs"
PAGE, FOLDER, SLIDER = DOCS / "GALLERY.md", DOCS / "gallery", DOCS / "slider.html"
TABLE = ROOT / "data" / "auto" / "quickstart.csv"
_QUALITY = 80  # of WebP and JPEG
_SLIDER = (
    "**[Before and after, with a slider](slider.html)**: download the file and open it in a "
    "browser, or\nbuild the site with `make docs`. It loads nothing else."
)


def credit_lines() -> dict[str, str]:
    """What a photograph shows, its author and licence, by its name."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return {row["photo"]: row["why"] for row in csv.DictReader(file)}


def _data_uri(picture: Picture) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def render_slider(photographs: Mapping[str, Mapping[str, Picture]]) -> str:
    """A page that loads nothing else: bicubic before, generator or HR after."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    entries = [
        {
            "name": name,
            "credit": credit_lines().get(name, ""),
            **{key.lower(): _data_uri(pictures[key]) for key in ("bicubic", "generator", "HR")},
        }
        for name, pictures in photographs.items()
    ]
    return environment.get_template("slider.html").render(photographs=entries, scale=SCALE)


def write_crops(
    photographs: Mapping[str, Mapping[str, Picture]], lpips: Callable[[Picture, Picture], float]
) -> str:
    """Writes the chosen crops of each photograph to docs/gallery; returns their Markdown."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    lines = [_SLIDER]
    for name, pictures in photographs.items():
        credit = credit_lines().get(name)
        lines += [f"## {name}", *([f"It shows {credit}."] if credit else [])]
        for rule, (gain, corner) in chosen_crops(ranked_crops(pictures, lpips)).items():
            file = FOLDER / f"{name}-{rule.replace(' ', '-')}.jpg"
            Image.fromarray(draw_crops(pictures, corner)).save(file, quality=_QUALITY)
            text = f"The crop that {rule}: LPIPS {gain:.3f} below bicubic's."
            if gain < 0:
                text = f"The crop that {rule}: LPIPS {-gain:.3f} above bicubic's."
            lines += [text, f"![{name}: {', '.join(pictures)}](gallery/{file.name})"]
    return "\n\n".join(lines)


def main() -> None:
    """Writes the crops, their section of the page and the slider."""
    photographs = dict(enlarged_photographs())
    fill_sections(PAGE, {"crops": write_crops(photographs, open_lpips())})
    SLIDER.write_text(render_slider(photographs), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except SrmodelsError as error:
        sys.exit(f"error: {error}")
