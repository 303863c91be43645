"""srmodels: an experiment pipeline for image super-resolution.

`srmodels.load` opens a generator; `import srmodels` alone imports nothing else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srmodels.inference.api import load

__all__ = ["__version__", "load"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - as the language has it
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from srmodels.inference.api import load

    return load
