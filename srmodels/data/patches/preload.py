"""What the fork server imports and compiles once for all worker processes."""

import torch  # noqa: F401 - the workers import the stage's main module, which imports torch

from srmodels.data.patches import extract, sharpness  # noqa: F401 - the work itself
from srmodels.resize import images

__all__: list[str] = []

images.load()
sharpness.load()
