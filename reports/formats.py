"""`python -m reports.formats write`: docs/FORMATS.md from the readers' and writers' own lists."""

import argparse
from pathlib import Path

from srmodels.images.file_types import SUFFIXES
from srmodels.images.readers.dispatch import READERS
from srmodels.images.writers.formats import FORMATS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "FORMATS.md"
INTRODUCTION = """# Image formats

Extraction (`patches`) and `srmodels upscale` read a file by the same code, chosen by its content.
Extraction rounds to 8-bit sRGB at the end; upscaling keeps 16 bits, grey, alpha, the colour profile
and the metadata. Every conversion, repair and omission is a note: in `data/patches/manifest.csv`,
and in the log of `upscale`. Every refusal has a reason. `python -m reports.formats write` writes
this page from the code.

## Read
"""
COLOURS = """
## Colours

| colours | extraction | upscaling |
| --- | --- | --- |
| ICC profile, RGB or grey | converted to sRGB (relative colorimetric, black point compensation); \
16 bits in 16 bits | kept with the values; converted where the output cannot hold it |
| ICC profile, CMYK; Lab | converted | converted |
| CMYK without a profile | as ideal inks, with a note | as ideal inks, with a note |
| P3, BT.2020, gamma, linear, chromaticities, Adobe RGB by EXIF | converted | converted |
| H.273 primaries 5, 6, 7 and the curves of video | taken as sRGB, as phones mean it | same |
| PQ, HLG | refused, or by `patches.hdr: tonemap` through ITU-R BT.2446, method A | \
tone-mapped |
| a profile that cannot be used | taken as sRGB, with a note | same |
| alpha below opaque | refused | kept; premultiplied colour is divided |
| orientation | EXIF (HEIF and AVIF: their boxes) applied; an unreadable one noted | same |

16 bits that go through a profile of look-up tables are interpolated between its 8-bit results.

## Written by `upscale`
"""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def page() -> str:
    """The text of docs/FORMATS.md."""
    read = _table(
        ["format", "suffixes", "by", "reads", "colours from", "refuses"],
        [
            [kind, " ".join(sorted(SUFFIXES[kind])), one.by, one.reads, one.colours, one.refuses]
            for kind, one in READERS.items()
        ],
    )
    written = _table(
        ["format", "suffixes", "bits", "alpha", "grey profile", "longest side"],
        [
            [
                one.name,
                " ".join(one.suffixes),
                "8, 16" if one.has_16bit else "8",
                "yes" if one.alpha else "no",
                "kept" if one.keeps_profile(1, alpha=False) else "converted",
                f"{one.max_side:,}",
            ]
            for one in FORMATS
        ],
    )
    return "\n".join([INTRODUCTION, read, COLOURS, written, ""])


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["write"])
    parser.parse_args()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
