"""Photographs to aligned LR/HR shards, in parallel; validation and test pictures stay whole."""

import hashlib
from pathlib import Path

from srmodels.data.patches.extract import extract
from stages import cli_errors

CODE = Path("data/code/patches.json")


@cli_errors
def main() -> None:
    """Runs the stage."""
    from srmodels import params  # here, since each worker process imports this module

    settings = params.load()
    known = CODE.is_file()  # else this stage runs by itself, and nothing is known of its past
    extract(
        Path("data/photos"),
        Path("data/patches"),
        settings.patches,
        scale=settings.scale,
        metrics=Path("metrics/patches.json"),
        records=Path(".resume/patches") if known else None,
        code=hashlib.sha256(CODE.read_bytes()).hexdigest() if known else "",
    )


if __name__ == "__main__":
    main()
