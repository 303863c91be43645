"""One thin script per DVC stage: `python -m stages.NAME`, run in the repository's root."""

import functools
import logging
import sys
from collections.abc import Callable

from srmodels.distributed.launcher import launch
from srmodels.errors import SrmodelsError

__all__ = ["cli_errors"]


def cli_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Configures logging; turns the user's faults into one line a fault and exit code 1."""

    @functools.wraps(main)
    def guarded() -> None:
        level = logging.ERROR if launch().rank else logging.INFO  # one of several processes speaks
        logging.basicConfig(level=level, format="%(message)s", stream=sys.stdout, force=True)
        for noisy in ("mlflow", "alembic", "httpx", "lightning_fabric", "PIL", "matplotlib"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        try:
            main()
        except SrmodelsError as error:
            sys.exit(f"error: {error}")
        except KeyboardInterrupt:
            sys.exit("interrupted; `dvc repro` goes on from the last checkpoint")
        except OSError as error:  # a full disk, a read-only folder: the machine's, not the code's
            if error.filename is None and error.errno is None:
                raise
            sys.exit(f"error: {error.filename or 'writing'}: {error.strerror}; free it and repeat")

    return guarded
