"""Cuts photographs into aligned LR/HR patches; validation and test pictures stay whole."""

import hashlib
from pathlib import Path

from srmodels.data.patches.extract import extract
from stages import PATCHES, cli_errors

CODE = Path("data/code/patches.json")


@cli_errors
def main() -> None:
    """Runs the stage."""
    from srmodels import params  # here, since each worker process imports this module

    settings = params.load()
    resume = CODE.is_file()  # without the stage `code`, the code of earlier runs is unknown
    extract(
        Path("data/photos"),
        PATCHES,
        settings.patches,
        scale=settings.scale,
        metrics=Path("metrics/patches.json"),
        records=Path(".resume/patches") if resume else None,
        code=hashlib.sha256(CODE.read_bytes()).hexdigest() if resume else "",
    )


if __name__ == "__main__":
    main()
