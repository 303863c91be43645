"""Imports Lightning Fabric with torchmetrics hidden.

Fabric imports torchmetrics, and so torchvision and much of SciPy, to read its version: seconds at
every start, for a feature that is not used here.
"""

import sys

_hidden = "torchmetrics" not in sys.modules
if _hidden:
    sys.modules["torchmetrics"] = None  # type: ignore[assignment]  # hides the module
try:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins import MixedPrecision
    from lightning_fabric.strategies import DDPStrategy
finally:
    if _hidden:
        del sys.modules["torchmetrics"]

__all__ = ["DDPStrategy", "Fabric", "MixedPrecision"]
