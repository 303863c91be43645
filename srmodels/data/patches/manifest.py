"""What became of every photograph: the manifest, the counts, and when it is too little."""

import json
import logging
from collections import Counter
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from srmodels.atomic import write_table
from srmodels.data.patches.cut import PatchSettings
from srmodels.data.photos.table import Photo
from srmodels.errors import DataError
from srmodels.images.readers.decode import Decoded

__all__ = [
    "KILLED",
    "MANIFEST",
    "ManifestRow",
    "check_rows",
    "is_transient",
    "skip_category",
    "skipped_row",
    "too_slow",
    "used_row",
    "write_report",
]

log = logging.getLogger(__name__)

MANIFEST = "manifest.csv"
KILLED = "its decoder crashed or was killed, perhaps for lack of memory"
_SLOW = "takes longer than"
# by how a reason begins
_CATEGORIES = {
    "unreadable": ("cannot be opened", "has an LR picture that cannot be opened"),
    "too much for the memory": ("does not fit into memory",),
    "crashed": (KILLED,),
    "too slow": (_SLOW,),
    "damaged": ("is damaged", "is a damaged", "is cut off", "holds nothing but zeros", "is empty"),
    "transparent": ("is partly transparent", "is transparent"),
    "too small": ("is too small", "is smaller than a patch"),
    "too large": ("has too many pixels",),
    "not a picture": ("is a text file", "is no kind of picture"),
    "with another LR picture": ("has an LR picture",),
}
_TRANSIENT = {"unreadable", "too much for the memory", "crashed", "too slow"}


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A row of the manifest: what became of a photograph."""

    photo: str
    split: str
    kind: str
    width: int
    height: int
    patches: int
    flat: int
    skipped: str
    notes: str
    sha256: str


def used_row(photo: Photo, decoded: Decoded, patches: int = 0, flat: int = 0) -> ManifestRow:
    """The row of a photograph that was used."""
    height, width = decoded.pixels.shape[:2]
    notes = "; ".join(decoded.notes)
    kind, split = decoded.kind, photo.split
    return ManifestRow(
        photo.photo, split, kind, width, height, patches, flat, "", notes, photo.sha256
    )


def skipped_row(photo: Photo, reason: str) -> ManifestRow:
    """The row of a photograph that cannot be used."""
    return ManifestRow(photo.photo, photo.split, "", 0, 0, 0, 0, reason, "", photo.sha256)


def too_slow(limit: float) -> str:
    """The reason of a photograph that takes more than `limit` seconds."""
    return f"{_SLOW} {limit:g} seconds (patches.seconds_per_photo)"


def skip_category(reason: str) -> str:
    """What kind of reason this is, in a word or two."""
    kinds = (kind for kind, beginnings in _CATEGORIES.items() if reason.startswith(beginnings))
    return next(kinds, "of a kind that is not read")


def is_transient(reason: str) -> bool:
    """Whether a photograph may be usable another time, or on another machine."""
    return skip_category(reason) in _TRANSIENT


def write_report(lines: list[ManifestRow], folder: Path, metrics: Path) -> None:
    """Writes FOLDER/manifest.csv, and the counts to the JSON file `metrics`; no times in either."""
    part = folder / f"{MANIFEST}.part"
    write_table(part, [field.name for field in fields(ManifestRow)], map(astuple, lines))
    part.replace(folder / MANIFEST)
    read_ones = [line for line in lines if not line.skipped]
    wholes = {
        split: sum(line.split == split for line in read_ones) for split in ("validation", "test")
    }
    pixels = sum(line.width * line.height for line in read_ones)
    values = {
        "photos_read": len(read_ones),
        "photos_skipped": len(lines) - len(read_ones),
        "skipped": {line.photo: line.skipped for line in lines if line.skipped},
        "patches": {"train": sum(line.patches for line in lines)},
        "patches_flat": sum(line.flat for line in lines),
        "whole_images": wholes,
        "megapixels": round(pixels / 1e6, 3),
    }
    metrics.parent.mkdir(parents=True, exist_ok=True)
    metrics.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def check_rows(lines: list[ManifestRow], folder: Path, settings: PatchSettings) -> None:
    """Tells what was skipped; too much is an error.

    Raises:
        DataError: Nothing is left to train on, or too large a share was skipped.
    """
    skipped = [line for line in lines if line.skipped]
    for line in skipped:
        log.warning("skipped %s: %s", line.photo, line.skipped)
    few = "; ".join(f"{line.photo} {line.skipped}" for line in skipped[:3])
    more = f"; all of them in {folder / MANIFEST}" if len(skipped) > 3 else ""
    kinds = Counter(skip_category(line.skipped) for line in skipped)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    if skipped:
        log.warning("%d of %d photographs skipped: %s", len(skipped), len(lines), counted)
    if len(skipped) > settings.max_skipped * len(lines):
        raise DataError(
            f"patches: {len(skipped)} of {len(lines)} photographs cannot be used "
            f"({counted}; first: {few}{more}); mend or remove them, or raise patches.max_skipped "
            f"(found {settings.max_skipped})"
        )
    if not sum(line.patches for line in lines):
        reason = few + more if skipped else "no photograph is in the training split"
        raise DataError(f"patches: nothing to train on ({reason}); add photographs")
    for split in ("validation", "test"):
        mine = [line for line in lines if line.split == split]
        if mine and all(line.skipped for line in mine):
            raise DataError(
                f"patches: no picture is left for {split} ({mine[0].photo} {mine[0].skipped}"
                f"{' and others' if len(mine) > 1 else ''}); mend or replace it, or name the split "
                "by sub-folders"
            )
        if not mine:
            log.warning("no picture for %s", split)
