"""What a training's result rests on: named facts, their fingerprint, and how two of them differ."""

import hashlib
import json
from collections.abc import Mapping

__all__ = ["Facts", "differences", "fingerprint_of", "flat"]

Facts = Mapping[str, object]
"""JSON values by name, mappings within mappings: {"settings": {"seed": 0}, "data": "5d41..."}."""

_SHOWN = 5  # differences in one line


def fingerprint_of(facts: Facts) -> str:
    """Twelve hexadecimal digits that change when any of the facts does."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def flat(facts: Facts, prefix: str = "") -> dict[str, object]:
    """The facts by full key: {"settings.seed": 0, "data": "5d41..."}."""
    found: dict[str, object] = {}
    for key, value in facts.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def differences(before: Facts, now: Facts) -> str:
    """Which facts differ, as a phrase; settings with both values, digests by their name alone."""
    old, new = (flat(json.loads(json.dumps(each, default=str))) for each in (before, now))
    told = []
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) == new.get(key):
            continue
        values = f" {new.get(key)!r} (was {old.get(key)!r})" if key.startswith("settings.") else ""
        told.append(key.replace(".", " ", 1) + values)
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return "; ".join(told[:_SHOWN]) + more
