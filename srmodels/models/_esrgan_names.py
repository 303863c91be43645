"""The names public RRDBNet weights had before Real-ESRGAN's.

ESRGAN's first release counts layers ("model.1.sub.0.RDB1.conv1.0.weight"), its second one names
them ("RRDB_trunk.0.RDB1.conv1.weight"); both are still what most community weights use.
https://github.com/xinntao/ESRGAN
"""

import re
from collections.abc import MutableMapping
from typing import Any

from torch import nn

__all__ = ["take_older_names"]


def take_older_names(
    network: nn.Module,
    state: MutableMapping[str, Any],
    prefix: str,
    *_: object,
) -> None:
    """Renames the keys of a state in place; a hook that runs before an RRDBNet loads it.

    Args:
        network: The RRDBNet.
        state: What it is about to load.
        prefix: Where the network is inside what is loaded; "" if it is the whole.
        _: What else the hook is told.
    """
    stages = sum(name.startswith("conv_up") for name, _ in network.named_children())
    patterns = [
        (
            r"(?:model\.1\.sub|RRDB_trunk)\.(\d+)\.RDB(\d)\.conv(\d)(?:\.0)?\.",
            r"body.\1.rdb\2.conv\3.",
        ),
        (r"model\.0\.|conv_first\.", "conv_first."),
        (r"model\.1\.sub\.\d+\.(?=weight|bias)|trunk_conv\.", "conv_body."),
        (rf"model\.{3 * stages + 2}\.|HRconv\.", "conv_hr."),
        (rf"model\.{3 * stages + 4}\.", "conv_last."),
        *((rf"model\.{3 * n}\.|upconv{n}\.", f"conv_up{n}.") for n in range(1, stages + 1)),
    ]
    for key in [each for each in state if each.startswith(prefix)]:
        for pattern, name in patterns:
            renamed, count = re.subn(rf"^(?:{pattern})", name, key.removeprefix(prefix))
            if count and prefix + renamed != key:
                state[prefix + renamed] = state.pop(key)
                break
