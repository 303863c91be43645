"""Network interpolation: Wang et al., "ESRGAN", 2018, https://arxiv.org/abs/1809.00219, 3.4."""

import copy
import dataclasses

from srmodels.errors import ConfigError, WeightsError
from srmodels.models._state import misfits
from srmodels.snapshot import Snapshot

__all__ = ["interpolate"]


def _differences(first: Snapshot, second: Snapshot) -> list[str]:
    """One phrase per difference of network, settings or weight shapes."""
    if first.name != second.name:
        return [f"{first.name} and {second.name}"]
    ours, theirs = (dataclasses.asdict(side.settings) for side in (first, second))  # type: ignore[call-overload]
    settings = [
        f"{key} {value!r} and {theirs[key]!r}"
        for key, value in ours.items()
        if value != theirs[key]
    ]
    return settings or misfits(first.network.state_dict(), second.network.state_dict())


def interpolate(first: Snapshot, second: Snapshot, strength: float) -> Snapshot:
    """Mixes the weights and buffers of two networks: (1 - strength) first + strength second.

    Returns a new network, in eval mode, on the first's device. Integers are the second's.

    Raises:
        ConfigError: strength is not in [0, 1].
        WeightsError: The networks or their settings differ.
    """
    if not 0 <= strength <= 1:
        raise ConfigError(f"strength: is out of range (got {strength}). Use 0 to 1.")
    differences = _differences(first, second)
    if differences:
        raise WeightsError(
            f"interpolation: the two networks differ (got {'; '.join(differences)}). "
            "Use two trainings of one network with the same settings."
        )
    state = first.network.state_dict()
    for key, theirs in second.network.state_dict().items():
        value = theirs.to(state[key].device)
        if value.is_floating_point():
            value = (1 - strength) * state[key] + strength * value
        state[key] = value
    network = copy.deepcopy(first.network)
    network.load_state_dict(state)
    return dataclasses.replace(first, network=network)
