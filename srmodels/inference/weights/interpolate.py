"""The network between two, such as one trained for PSNR and the same after its GAN.

Network interpolation: ESRGAN, Wang et al. 2018, https://arxiv.org/abs/1809.00219, section 3.4.
"""

import copy
import dataclasses

from srmodels.errors import ConfigError, WeightsError
from srmodels.models._state import misfits
from srmodels.snapshot import Snapshot

__all__ = ["interpolate"]


def _differences(first: Snapshot, second: Snapshot) -> list[str]:
    """One phrase for each way in which two snapshots are of different networks."""
    if first.name != second.name:
        return [f"{first.name} and {second.name}"]
    ours, theirs = (dataclasses.asdict(each.settings) for each in (first, second))  # type: ignore[call-overload]
    unlike = [
        f"{key} {value!r} and {theirs[key]!r}"
        for key, value in ours.items()
        if value != theirs[key]
    ]
    return unlike or misfits(first.network.state_dict(), second.network.state_dict())


def interpolate(first: Snapshot, second: Snapshot, alpha: float) -> Snapshot:
    """Mixes the weights of two networks.

    Args:
        first: What alpha = 0 gives.
        second: What alpha = 1 gives; of the same network and settings.
        alpha: The second's share of every weight and buffer. What is counted in whole numbers is
            the second's.

    Returns:
        A new network, in eval mode, on the first's device.

    Raises:
        ConfigError: alpha is not in [0, 1].
        WeightsError: The snapshots are of different networks; says what differs.
    """
    if not 0 <= alpha <= 1:
        raise ConfigError(f"alpha: outside its range (found {alpha}); 0 to 1 is right")
    differences = _differences(first, second)
    if differences:
        raise WeightsError(
            f"interpolation: the two networks are not alike (found {'; '.join(differences)}); "
            "two trainings of one network with the same settings are right"
        )
    state = first.network.state_dict()
    for key, theirs in second.network.state_dict().items():
        value = theirs.to(state[key].device)
        if value.is_floating_point():
            value = (1 - alpha) * state[key] + alpha * value
        state[key] = value
    network = copy.deepcopy(first.network)
    network.load_state_dict(state)
    return dataclasses.replace(first, network=network)
