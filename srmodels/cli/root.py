"""Commands that read the pipeline's files run in the repository's root."""

from collections.abc import Sequence
from pathlib import Path

from srmodels.errors import ConfigError

__all__ = ["check_root"]

_FILES = (".json", ".csv")  # of scores, which lie anywhere


def check_root(names: Sequence[str] = ("workspace",)) -> None:
    """Raises ConfigError if names of experiments are asked for outside the root.

    Args:
        names: Experiments, git revisions, or files of scores.
    """
    needed = any(Path(name).suffix not in _FILES for name in names)
    if needed and not Path("params.yaml").is_file():
        raise ConfigError("params.yaml: not found. Run in the repository's root.")
