"""What a fork server loads once, so that every worker process begins with it."""

import torch  # noqa: F401 - the stage's main module, which workers import, wants it

from srmodels.data import extract  # noqa: F401 - the work itself
from srmodels.shrink import load

__all__: list[str] = []

load()
