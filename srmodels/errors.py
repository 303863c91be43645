"""The exceptions that a user can meet.

Their messages read `WHERE: problem (got X). Do Y.`

SrmodelsError            the user's side: one line, exit code 1, no traceback
├── ConfigError          a key or a value of params.yaml, or an option, is wrong
├── PhotoError           one photograph cannot be used; it is skipped and listed
├── DataError            a folder, a split or a store as a whole cannot be used
├── WeightsError         a snapshot or a checkpoint cannot be read or does not fit
├── ProtocolError        scores would not be comparable (sizes, range, a broken baseline)
└── TrainingError        a training cannot start or go on
    ├── NonFiniteError   a loss or a gradient is NaN or infinite; no parameter has moved
    │   └── GradientOverflowError  a scaled gradient exceeds float16's range
    ├── ProcessLostError another process of this training failed, died or does not answer
    └── BusyError        another study runs in this repository
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
    "disk_errors",
    "listed",
]


class SrmodelsError(Exception):
    """A fault that the user can mend: printed as one line without a traceback, exit code 1."""


class ConfigError(SrmodelsError):
    """A key or a value of params.yaml, or an option, is wrong."""


class PhotoError(SrmodelsError):
    """One photograph is unusable; it is skipped and the manifest lists the reason."""


class DataError(SrmodelsError):
    """A folder, a split or a patch store is unusable as a whole."""


class WeightsError(SrmodelsError):
    """A file of weights or a checkpoint is unreadable or does not fit the network."""


class ProtocolError(SrmodelsError):
    """A score would not be comparable with others (sizes, range, baseline)."""


class TrainingError(SrmodelsError):
    """A training cannot start or continue."""


class NonFiniteError(TrainingError):
    """A loss or a gradient is NaN or infinite; no parameter was changed."""


class BusyError(TrainingError):
    """Another study runs in this repository."""


class GradientOverflowError(NonFiniteError):
    """A scaled gradient exceeds float16's range; the next step has a smaller loss scale."""


class ProcessLostError(TrainingError):
    """Another process of this training failed, died or does not answer."""


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turns an OSError inside into a DataError that names the file, or else `folder`."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{error.filename or folder}: cannot be written (got {error.strerror or error}). "
            "Check disk space and permissions, then retry."
        ) from None


def listed(names: Sequence[str], *, most: int = 5, separator: str = ", ") -> str:
    """The first names for a message, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more
