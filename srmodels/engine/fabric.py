"""Lightning Fabric, which wants to know the version of torchmetrics as it is imported.

It asks by importing that, and with it torchvision and much of SciPy: seconds of every start, for a
feature of Fabric's that is not used here. So torchmetrics is hidden meanwhile.
"""

import sys

_hidden = "torchmetrics" not in sys.modules
if _hidden:
    sys.modules["torchmetrics"] = None  # type: ignore[assignment]  # which is how a name is hidden
try:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins import MixedPrecision
    from lightning_fabric.strategies import DDPStrategy
finally:
    if _hidden:
        del sys.modules["torchmetrics"]

__all__ = ["DDPStrategy", "Fabric", "MixedPrecision"]
