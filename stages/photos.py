"""Bring the source photographs to data/photos: a table of them, and the bundled ones themselves."""

import hashlib
import os
from pathlib import Path

from srmodels.data.photos.collect import collect
from srmodels.data.photos.table import check_splits
from stages import cli_errors


def memory() -> Path | None:
    """Thumbnails of earlier runs, one file per state of the code; in the user's own repository."""
    code = Path("data/code/photos.json")
    if not code.is_file():
        return None
    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    folder = Path(os.environ.get("DVC_ROOT", ".")) / ".resume"
    memory = folder / f"thumbnails-{digest[:16]}.txt"
    for old in set(folder.glob("thumbnails-*.txt")) - {memory}:
        old.unlink(missing_ok=True)
    return memory


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
        memory=memory(),
    )
    check_splits(photos)


if __name__ == "__main__":
    main()
