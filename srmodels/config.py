"""One door for configuration: a plain mapping becomes a frozen dataclass, or one error lists all.

Sections are standard-library dataclasses that sit beside what they configure; pydantic checks them
strictly (no "3" for 3, no unknown keys).
"""

import dataclasses
import json
from collections.abc import Hashable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from srmodels.errors import ConfigError

__all__ = ["Problem", "ProblemCollector", "check", "one_of", "problems_of", "raise_problems"]

T = TypeVar("T")
Problem = str


@cache
def _adapter(section: type[Any]) -> TypeAdapter[Any]:
    strict = with_config(ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
    seen: set[type[Any]] = set()

    def prepare(kind: Any) -> None:  # noqa: ANN401 - any annotation at all
        for inner in getattr(kind, "__args__", ()):
            prepare(inner)
        if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind not in seen:
            seen.add(kind)
            strict(kind)
            for hint in get_type_hints(kind).values():
                prepare(hint)

    prepare(section)
    return TypeAdapter(section)


def one_of(where: str, found: object, names: list[str]) -> Problem:
    """A sentence for a name that is none of the known ones, with the nearest guess."""
    guess = get_close_matches(str(found), names, n=1)
    hint = f" (did you mean {guess[0]}?)" if guess else ""
    return f"{where}: unknown name (found {found!r}); one of {', '.join(names)}{hint}"


def _sentence(where: str, section: type[Any], error: Mapping[str, Any]) -> Problem:
    # pydantic writes the class of a union's member into the place; keys of ours are lower case
    path = [str(part) for part in error["loc"] if not str(part)[:1].isupper()]
    key = ".".join([where, *path]) if where else ".".join(path)
    if error["type"] == "unexpected_keyword_argument":
        known = sorted(_keys(section, path[:-1]))
        return one_of(key, path[-1], known).replace("unknown name", "unknown key")
    if error["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"{key}: missing; it has no default"
    wanted = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"{key}: found {error['input']!r}; {wanted[0].lower()}{wanted[1:]}"


def _keys(section: type[Any], path: list[str]) -> list[str]:
    """The keys a section allows at a path below it."""
    for part in path:
        hint = get_type_hints(section).get(part)
        inner = [kind for kind in (hint, *getattr(hint, "__args__", ())) if isinstance(kind, type)]
        section = next((kind for kind in inner if dataclasses.is_dataclass(kind)), section)
    return [field.name for field in dataclasses.fields(section)]


def problems_of(values: object, section: type[T], where: str) -> tuple[T | None, list[Problem]]:
    """Checks one section and returns it, or None and one sentence per problem.

    Args:
        values: What params.yaml holds at `where`.
        section: The frozen dataclass it must fit.
        where: The section's full key, such as "models.srgan.quickstart.pretrain".
    """
    if not isinstance(values, Mapping):
        return None, [f"{where}: found {values!r}; a section with keys was expected"]
    try:
        # as JSON: strict about "3" for 3, yet a mapping may become a section and a list a tuple
        checked: T = _adapter(cast("Hashable", section)).validate_json(
            json.dumps(values, default=str)
        )
    except ValidationError as error:
        return None, [_sentence(where, section, each) for each in error.errors()]
    return checked, []


def raise_problems(problems: list[Problem]) -> None:
    """Raises one ConfigError that lists every problem, a line each; nothing if there are none."""
    if problems:
        raise ConfigError("\n".join(problems))


def check(values: object, section: type[T], where: str) -> T:
    """Checks one section.

    Raises:
        ConfigError: A key is unknown, missing or of the wrong kind; lists all of them.
    """
    checked, problems = problems_of(values, section, where)
    raise_problems(problems)
    assert checked is not None, "no problems means a section"
    return checked


class ProblemCollector:
    """Collects every problem of one pass through the configuration, so that all come at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def section(self, values: object, kind: type[Any], where: str) -> Any:  # noqa: ANN401 - any section
        """A checked section, or None beside a problem."""
        checked, problems = problems_of(values, kind, where)
        self.problems += problems
        return checked

    def mapping(
        self, values: object, keys: set[str], where: str, optional: set[str] | None = None
    ) -> Mapping[str, Any]:
        """A mapping with these keys and perhaps the optional ones; {} where there is none."""
        prefix = f"{where}." if where else ""
        if not isinstance(values, Mapping):
            self.problems.append(f"{where or 'params.yaml'}: found {values!r}; keys were expected")
            return {}
        for key in values.keys() - keys - (optional or set()):
            found = one_of(prefix + str(key), key, sorted(keys | (optional or set())))
            self.problems.append(found.replace("unknown name", "unknown key"))
        self.problems += [f"{prefix}{key}: missing" for key in sorted(keys - values.keys())]
        return values

    def named(self, values: object, key: str, where: str) -> tuple[str, dict[str, Any]] | None:
        """Splits {key: NAME, ...settings} into the name and the settings; None beside a problem."""
        if not isinstance(values, Mapping) or key not in values:
            self.problems.append(f"{where}.{key}: missing; found {values!r}")
            return None
        return str(values[key]), {k: v for k, v in values.items() if k != key}
