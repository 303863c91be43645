"""Writes the table of source photographs to data/photos, and copies the bundled ones there."""

import hashlib
import logging
from pathlib import Path

from srmodels.data.photos.collect import collect
from srmodels.data.photos.enough import small_split_warnings
from srmodels.data.photos.table import check_splits
from stages import cli_errors, dvc_root

log = logging.getLogger(__name__)

CODE = Path("data/code/photos.json")


def thumbnail_cache() -> Path | None:
    """Thumbnails of earlier runs with the same code; None if the code is unknown."""
    if not CODE.is_file():
        return None
    digest = hashlib.sha256(CODE.read_bytes()).hexdigest()
    cache = dvc_root() / ".resume" / f"thumbnails-{digest[:16]}.txt"
    for old in set(cache.parent.glob("thumbnails-*.txt")) - {cache}:
        old.unlink(missing_ok=True)
    return cache


@cli_errors
def main() -> None:
    """Runs the stage."""
    from srmodels import params  # here, since each worker process imports this module

    settings = params.load()
    photos = collect(
        settings.data,
        preset=settings.preset,
        data=Path("data"),
        scale=settings.scale,
        memory=thumbnail_cache(),
    )
    check_splits(photos)
    if settings.data.photos != "auto":  # the bundled ones show that everything works
        for warning in small_split_warnings(photos):
            log.warning(warning)


if __name__ == "__main__":
    main()
