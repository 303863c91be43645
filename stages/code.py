"""Which code each stage's result rests on, so that DVC reruns a stage for that code and no other.

A stage cannot depend on the whole package (a comment would train for a week again) nor on a list
kept by hand (which forgets). This stage follows the imports, adds the networks and objectives the
recipe names, and writes a digest per module, blind to comments and docstrings.
"""

import json
from pathlib import Path

from srmodels import params
from stages import cli_errors
from stages.dependencies import STAGES, code_digests

FOLDER = Path("data/code")


@cli_errors
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for stage in STAGES:
        text = json.dumps(code_digests(stage, settings.recipe), indent=1)
        (FOLDER / f"{stage}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
