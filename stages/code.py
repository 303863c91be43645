"""Writes digests of the code that each stage depends on, so that DVC reruns what has changed."""

import json
import os
from pathlib import Path

from srmodels import params
from srmodels.errors import DataError
from stages import cli_errors
from stages.dependencies import STAGES, code_digests

FOLDER = Path("data/code")


def check_names(folder: Path) -> None:
    """Raises DataError for a name in a folder that is not UTF-8.

    DVC stops at it before the stage `photos`, and does not say which it is.
    """
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                name.encode()
            except UnicodeEncodeError:
                path = os.fsencode(Path(parent, name))
                raise DataError(
                    f"data.photos: has a name that is not UTF-8, which DVC cannot record (got "
                    f"{path!r}). Rename it."
                ) from None


@cli_errors
def main() -> None:
    """Runs the stage, the first of all."""
    settings = params.load()
    check_names(Path("data") / settings.data.photos)
    recipe = settings.recipe
    FOLDER.mkdir(parents=True, exist_ok=True)
    for stage in STAGES:
        text = json.dumps(code_digests(stage, recipe), indent=1)
        (FOLDER / f"{stage}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
