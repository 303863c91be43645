"""The weights behind a row of scores, from disk or from DVC's cache and remotes."""

import subprocess
import sys
from pathlib import Path

from srmodels.comparison.experiment import Experiment
from srmodels.errors import WeightsError

__all__ = ["fetch"]

_WITH_WEIGHTS = ("pretrained", "generator")


def fetch(entry: Experiment, folder: Path, *, root: Path) -> Path:
    """Puts an experiment's weights into a file.

    Args:
        entry: Which experiment, and which of its models.
        folder: Where the file goes.
        root: The project's folder.

    Raises:
        WeightsError: This row has no weights of its own, or they are neither on disk nor in DVC's
            cache or remotes.
    """
    if entry.row not in _WITH_WEIGHTS:
        raise WeightsError(f"{entry.row} has no file of weights of its own")
    path, target = f"weights/{entry.row}.safetensors", folder / f"{entry.row}.safetensors"
    on_disk = entry.source.read(path)
    if on_disk is not None:
        target.write_bytes(on_disk)
        return target
    if not entry.source.commit:
        raise WeightsError(f"no {path} beside its scores")
    command = [sys.executable, "-m", "dvc", "get", ".", path, "--rev", entry.source.commit]
    done = subprocess.run(  # noqa: S603 - no shell; the commit is a hash
        [*command, "-o", str(target)],
        cwd=root,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode or not target.exists():
        said = [line.removeprefix("ERROR: ") for line in done.stderr.split("\n") if line.strip()]
        reason = said[0] if said else "dvc get wrote no file"
        raise WeightsError(f"{path} is not to be had ({reason})")
    return target
