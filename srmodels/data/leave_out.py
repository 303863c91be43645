"""Photographs that the user has taken out by name."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from srmodels.errors import DataError

__all__ = ["REASON", "left_out"]

REASON = "is left out by data.leave_out"


def left_out(names: Sequence[str], patterns: Iterable[str]) -> set[str]:
    """Which of `names` fit one of `patterns`, in which `*`, `?` and `[...]` are a shell's.

    Raises:
        DataError: A pattern fits no name: a slip of the pen would train on what it should not.
    """
    out: set[str] = set()
    for pattern in patterns:
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        if not fitting:
            like = get_close_matches(pattern, names, n=1) or names[:1]
            right = f"a name like {like[0]!r} is right" if like else "there is none at all"
            raise DataError(f"data.leave_out: no photograph is named {pattern!r}; {right}")
        out.update(fitting)
    return out
