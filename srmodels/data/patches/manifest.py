"""What became of each photograph: manifest.csv, the counts, and the limit of skipped ones."""

import logging
from collections import Counter
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from srmodels.atomic import write_json, write_table
from srmodels.data.executor.time_limit import KILLED, TOO_SLOW
from srmodels.data.patches.settings import PatchSettings
from srmodels.errors import DataError

log = logging.getLogger(__name__)

MANIFEST = "manifest.csv"
# by how a reason begins
_CATEGORIES = {
    "unreadable": ("cannot be opened", "has an LR picture that cannot be opened"),
    "too much for the memory": ("does not fit into memory",),
    "crashed": (KILLED,),
    "too slow": (TOO_SLOW,),
    "damaged": ("is damaged", "is a damaged", "is cut off", "holds nothing but zeros", "is empty"),
    "transparent": ("is partly transparent", "is transparent"),
    "too small": ("is too small", "is smaller than a patch"),
    "too large": ("has too many pixels",),
    "not a picture": ("is a text file", "is no kind of picture"),
    "with another LR picture": ("has an LR picture",),
    "without an LR picture": ("has no LR picture",),
}
_TRANSIENT = {"unreadable", "too much for the memory", "crashed", "too slow"}


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A row of the manifest: what became of a photograph."""

    photo: str
    split: str
    kind: str = ""
    width: int = 0
    height: int = 0
    patches: int = 0
    flat: int = 0
    skipped: str = ""
    notes: str = ""
    sha256: str = ""


def skip_category(reason: str) -> str:
    """The category of a reason, in a word or two."""
    matches = (name for name, begin in _CATEGORIES.items() if reason.startswith(begin))
    return next(matches, "of a kind that is not read")


def is_transient(reason: str) -> bool:
    """Whether a photograph may be usable another time, or on another machine."""
    return skip_category(reason) in _TRANSIENT


def write_report(manifest: list[ManifestRow], folder: Path, metrics: Path) -> None:
    """Writes FOLDER/manifest.csv, and the counts to the JSON file `metrics`; no times in either."""
    header = [field.name for field in fields(ManifestRow)]
    write_table(folder / MANIFEST, header, map(astuple, manifest))
    used = [row for row in manifest if not row.skipped]
    whole_images = {
        split: sum(row.split == split for row in used) for split in ("validation", "test")
    }
    pixels = sum(row.width * row.height for row in used)
    values = {
        "photos_read": len(used),
        "photos_skipped": len(manifest) - len(used),
        "skipped": {row.photo: row.skipped for row in manifest if row.skipped},
        "patches": {"train": sum(row.patches for row in manifest)},
        "patches_flat": sum(row.flat for row in manifest),
        "whole_images": whole_images,
        "megapixels": round(pixels / 1e6, 3),
    }
    write_json(metrics, values)


def _lacking(manifest: list[ManifestRow], listed: str) -> str:
    """What no limit of skipped photographs can mend; '' if every split has something left."""
    if not any(row.patches for row in manifest):
        reason = listed or "no photograph is in the training split"
        return f"patches: nothing to train on (got {reason}). Add photographs."
    for split in ("validation", "test"):
        rows = [row for row in manifest if row.split == split]
        if rows and all(row.skipped for row in rows):
            others = " and others" if len(rows) > 1 else ""
            return (
                f"patches: no picture is left for {split} (got {rows[0].photo} {rows[0].skipped}"
                f"{others}). Mend or replace it, or name the split by sub-folders."
            )
    return ""


def check_rows(manifest: list[ManifestRow], folder: Path, settings: PatchSettings) -> None:
    """Logs skipped photographs; a DataError if too many were, or all of a split."""
    skipped = [row for row in manifest if row.skipped]
    for row in skipped:
        log.warning("skipped %s: %s", row.photo, row.skipped)
    first = "; ".join(f"{row.photo} {row.skipped}" for row in skipped[:3])
    more = f"; all of them in {folder / MANIFEST}" if len(skipped) > 3 else ""
    categories = Counter(skip_category(row.skipped) for row in skipped)
    counts = ", ".join(f"{count} {name}" for name, count in categories.most_common())
    if skipped:
        log.warning("%d of %d photographs skipped: %s", len(skipped), len(manifest), counts)
    lacking = _lacking(manifest, first + more)
    if len(skipped) > settings.max_skipped * len(manifest):
        limit = "" if lacking else f", or raise patches.max_skipped above {settings.max_skipped}"
        raise DataError(
            f"patches: {len(skipped)} of {len(manifest)} photographs cannot be used (got {counts}; "
            f"first: {first}{more}). Mend or remove them{limit}."
        )
    if lacking:
        raise DataError(lacking)
    for split in ("validation", "test"):
        if all(row.split != split for row in manifest):
            log.warning("no picture for %s", split)
