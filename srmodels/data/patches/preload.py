"""What a fork server loads once, so that every worker process begins with it."""

import torch  # noqa: F401 - the stage's main module, which workers import, wants it

from srmodels.data.patches import extract, sharpness  # noqa: F401 - `extract` is the work itself
from srmodels.resize import images

__all__: list[str] = []

images.load()
sharpness.load()
