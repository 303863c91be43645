"""Fingerprints of a training's inputs, and the differences between two sets of inputs."""

import hashlib
import json
from collections.abc import Mapping

Inputs = Mapping[str, object]
"""JSON values by name, in nested mappings: {"settings": {"seed": 0}, "data": "5d41..."}."""

_SHOWN = 5  # differences in one line


def fingerprint_of(inputs: Inputs) -> str:
    """Twelve hexadecimal digits, which change with any of the inputs."""
    text = json.dumps(inputs, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def flatten(inputs: Inputs, prefix: str = "") -> dict[str, object]:
    """The values by full key: {"settings.seed": 0, "data": "5d41..."}."""
    values: dict[str, object] = {}
    for key, value in inputs.items():
        if isinstance(value, Mapping):
            values |= flatten(value, f"{prefix}{key}.")
        else:
            values[prefix + key] = value
    return values


def differences(before: Inputs, now: Inputs) -> str:
    """The inputs that differ, for a log line: settings with both values, digests by name."""
    old, new = (flatten(json.loads(json.dumps(values, default=str))) for values in (before, now))
    phrases = []
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            settings = key.startswith("settings.")
            values = f" {new.get(key)!r} (was {old.get(key)!r})" if settings else ""
            phrases.append(key.replace(".", " ", 1) + values)
    more = f" and {len(phrases) - _SHOWN} more" if len(phrases) > _SHOWN else ""
    return "; ".join(phrases[:_SHOWN]) + more
