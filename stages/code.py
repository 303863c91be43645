"""Writes digests of the code that each stage depends on, so that DVC reruns what has changed.

It runs first and after any change of a setting: a wrong one ends here, before DVC deletes outputs.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from srmodels import models, params
from srmodels.atomic import write_json
from srmodels.config import flat
from srmodels.data.datasets.catalog import MIX, set_names
from srmodels.data.photos.folder import check_folder
from srmodels.errors import ConfigError, DataError, listed
from srmodels.evaluation.perceptual import open_perceptual
from srmodels.pretrained.generators import PUBLIC
from stages import cli_errors, dvc_root
from stages.dependencies import STAGES, code_digests
from stages.initial_weights import check_start

FOLDER = Path("data/code")


def uncommitted() -> list[str]:
    """The settings that params.yaml has otherwise than the last commit, as "key: value"."""
    shown = subprocess.run(
        ["git", "show", "HEAD:./params.yaml"],  # noqa: S607 - whichever git the user has
        capture_output=True,
        check=False,
    )
    if shown.returncode:
        return []
    before, after = (
        dict(flat(YAML(typ="safe").load(text)))
        for text in (shown.stdout, Path("params.yaml").read_bytes())
    )
    return [f"{key}: {after[key]}" for key in after if before.get(key) != after[key]]


@contextmanager
def naming_uncommitted() -> Iterator[None]:
    """Adds to an error inside the settings that an earlier `-S` may have left in params.yaml."""
    try:
        yield
    except (ConfigError, DataError) as error:
        try:
            changed = uncommitted()
        except (YAMLError, ValueError, OSError):
            changed = []
        if not changed:
            raise
        raise type(error)(
            f"{str(error).removesuffix('.')}. params.yaml still says {listed(changed, most=3)}, "
            "which the last commit does not. `git checkout HEAD params.yaml` takes back what an "
            "earlier -S left."
        ) from None


def check_files(settings: params.Params) -> None:
    """Raises for a file or a folder of the settings that is missing or does not fit."""
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
    if start != params.RANDOM:
        check_start(settings)
    data = Path("data")
    names = ["auto", *set_names(data), MIX]
    check_folder("data.photos", settings.data.photos, data, names=names)
    if settings.data.own_lr:
        check_folder("data.lr", settings.data.lr, data, names=("bicubic", "official"))
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
    options = settings.evaluate
    if options.perceptual:  # missing weights end here, before any training
        open_perceptual(only_lpips=options.perceptual == "lpips", niqe=options.niqe)


@cli_errors
def main() -> None:
    """Runs the stage."""
    with naming_uncommitted():
        settings = params.load()
        check_files(settings)
    for stage in STAGES:
        digests = code_digests(stage, settings.recipe)
        write_json(FOLDER / f"{stage}.json", digests, indent=1)


if __name__ == "__main__":
    main()
