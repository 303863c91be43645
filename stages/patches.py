"""Photographs to aligned LR/HR shards, in parallel; validation and test pictures stay whole."""

from pathlib import Path

from srmodels import params
from srmodels.data.extract import extract
from stages import guard


@guard
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    extract(
        Path("data/photos"),
        Path("data/patches"),
        settings.patches,
        scale=settings.scale,
        metrics=Path("metrics/patches.json"),
    )


if __name__ == "__main__":
    main()
