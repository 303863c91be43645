"""One thin script per DVC stage: `python -m stages.NAME`, run in the repository's root."""

import argparse
import functools
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from srmodels.distributed.launcher import launch
from srmodels.errors import SrmodelsError
from srmodels.machine import open_closed_streams

PATCHES = Path("data/patches")
PRETRAINED = Path("weights/pretrained.safetensors")
GENERATOR = Path("weights/generator.safetensors")
DISCRIMINATOR = Path("weights/discriminator.safetensors")  # for init_discriminator_from; no output
PRETRAINED_BEST, GENERATOR_BEST = (  # by the validation's score
    path.with_stem(f"{path.stem}_best") for path in (PRETRAINED, GENERATOR)
)


def dvc_root() -> Path:
    """The user's repository, also while DVC runs the stage in a temporary copy of it."""
    return Path(os.environ.get("DVC_ROOT", "."))


def profile_only() -> bool:
    """Whether the command line has --profile: then the stage trains and writes nothing."""
    parser = argparse.ArgumentParser(description="Runs the stage, as `dvc repro` does.")
    parser.add_argument("--profile", action="store_true", help="time the parts of a step and exit")
    return bool(parser.parse_args().profile)


def cli_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Configures logging; prints the user's faults without a traceback and exits with code 1."""

    @functools.wraps(main)
    def wrapper() -> None:
        open_closed_streams()
        level = logging.ERROR if launch().rank else logging.INFO  # only rank 0 prints progress
        logging.basicConfig(level=level, format="%(message)s", stream=sys.stdout, force=True)
        for noisy in ("mlflow", "alembic", "httpx", "lightning_fabric", "PIL", "matplotlib"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        try:
            main()
        except SrmodelsError as error:
            sys.exit(f"error: {error}")
        except KeyboardInterrupt:
            sys.exit("interrupted. `dvc repro` resumes from the last checkpoint")
        except OSError as error:  # a full disk, a read-only folder
            if error.filename is None and error.errno is None:
                raise
            place = error.filename or "writing"
            sys.exit(
                f"error: {place}: {error.strerror}. Check disk space and permissions, then retry."
            )

    return wrapper
