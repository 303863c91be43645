"""Bring the source photographs to data/photos: a table of them, and the bundled ones themselves."""

from pathlib import Path

from srmodels import params
from srmodels.data.photos import check_splits, collect
from stages import guard


@guard
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    photos = collect(settings.data, preset=settings.preset, data=Path("data"))
    check_splits(photos)


if __name__ == "__main__":
    main()
