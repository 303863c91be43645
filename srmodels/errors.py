"""The exceptions a user can meet, each a sentence: WHERE: what is wrong (found X); what is right.

SrmodelsError            the user's side: one line, exit code 1, no traceback
├── ConfigError          params.yaml or an option: key, value found, what would be right
├── PhotoError           one photograph cannot be used; it is skipped and listed
├── DataError            a folder, a split or a store as a whole cannot be used
├── WeightsError         a snapshot or a checkpoint cannot be read or does not fit
├── ProtocolError        scores would not be comparable (sizes, range, a broken baseline)
└── TrainingError        a training cannot start or go on
    ├── NonFiniteError   a loss or a gradient is NaN or infinite; no parameter has moved
    │   └── GradientOverflowError  a scaled gradient exceeds float16's range
    ├── ProcessLostError another process of this training failed, died or does not answer
    └── BusyError        another process already works on this very configuration
"""

from collections.abc import Sequence

__all__ = [
    "BusyError",
    "ConfigError",
    "DataError",
    "GradientOverflowError",
    "NonFiniteError",
    "PhotoError",
    "ProcessLostError",
    "ProtocolError",
    "SrmodelsError",
    "TrainingError",
    "WeightsError",
    "listed",
]


class SrmodelsError(Exception):
    """Something the user can mend; the message says where, what was found and what is right."""


class ConfigError(SrmodelsError):
    """A key or a value of the configuration cannot be used."""


class PhotoError(SrmodelsError):
    """One photograph cannot be used; the message is the reason written into the manifest."""


class DataError(SrmodelsError):
    """A folder, a split or a patch store as a whole cannot be used."""


class WeightsError(SrmodelsError):
    """A file of weights cannot be read, or does not fit the network it is meant for."""


class ProtocolError(SrmodelsError):
    """A score would not be comparable with other scores, so it is not computed."""


class TrainingError(SrmodelsError):
    """A training cannot start or go on."""


class NonFiniteError(TrainingError):
    """A loss or a gradient is NaN or infinite; no parameter has moved."""


class BusyError(TrainingError):
    """Another process already works on this very configuration."""


class GradientOverflowError(NonFiniteError):
    """A scaled gradient exceeds float16's range; the next step has a smaller loss scale."""


class ProcessLostError(TrainingError):
    """Another process of this training failed, died or does not answer."""


def listed(names: Sequence[str], *, most: int = 5, separator: str = ", ") -> str:
    """The first names for a message, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more
