"""Writes digests of the code that each stage depends on, so that DVC reruns what has changed."""

import json
from pathlib import Path

from srmodels import params
from stages import cli_errors
from stages.dependencies import STAGES, code_digests

FOLDER = Path("data/code")


@cli_errors
def main() -> None:
    """Runs the stage."""
    recipe = params.load().recipe
    FOLDER.mkdir(parents=True, exist_ok=True)
    for stage in STAGES:
        text = json.dumps(code_digests(stage, recipe), indent=1)
        (FOLDER / f"{stage}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
