"""What a fork server loads once, so that every worker process begins with it."""

import torch  # noqa: F401 - the stage's main module, which workers import, wants it

from srmodels import shrink
from srmodels.data import extract, sharpness  # noqa: F401 - `extract` is the work itself

__all__: list[str] = []

shrink.load()
sharpness.load()
