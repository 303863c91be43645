"""Writes digests of the code that each stage depends on, so that DVC reruns what has changed.

It runs first and after any change of a setting: a wrong one ends here, before DVC deletes outputs.
"""

import os
from pathlib import Path

from srmodels import models, params
from srmodels.atomic import write_json
from srmodels.errors import ConfigError, DataError
from srmodels.pretrained.generators import PUBLIC
from stages import cli_errors, dvc_root
from stages.dependencies import STAGES, code_digests

FOLDER = Path("data/code")


def check_names(folder: Path, setting: str) -> None:
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
                    f"{setting}: has a name that is not UTF-8, which DVC cannot record (got "
                    f"{path!r}). Rename it."
                ) from None


@cli_errors
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    start = settings.init_from
    if start in PUBLIC:
        raise ConfigError(
            f"init_from: is the name of public weights, not their file (got {start!r}). Run: "
            f"dvc exp run -S init_from=$(srmodels download {start})"
        )
    if not Path(start).is_file():
        raise ConfigError(
            f"init_from: no such file (got {start!r}). Name a file of weights, or "
            f"{params.RANDOM} for random weights."
        )
    check_names(Path("data") / settings.data.photos, "data.photos")
    if settings.data.own_lr:
        if not (Path("data") / settings.data.lr).is_dir():
            raise ConfigError(
                f"data.lr: no such folder (got {settings.data.lr!r}). Give the absolute path of a "
                "folder of LR pictures, or one of bicubic, official."
            )
        check_names(Path("data") / settings.data.lr, "data.lr")
    generator = settings.recipe.generator
    if generator.name.startswith("spandrel:"):  # its code alone knows which settings fit
        models.build(generator.name, generator.settings)
    adversarial = settings.recipe.adversarial
    other = adversarial.init_discriminator_from if adversarial else None
    if other is not None and not (dvc_root() / other).is_file():
        raise ConfigError(
            f"adversarial.init_discriminator_from: no such file (got {other!r}). Name a file of "
            "weights, or null."
        )
    for stage in STAGES:
        digests = code_digests(stage, settings.recipe)
        write_json(FOLDER / f"{stage}.json", digests, indent=1)


if __name__ == "__main__":
    main()
