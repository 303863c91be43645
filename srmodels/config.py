"""Checks plain mappings against frozen dataclasses and reports all problems at once.

pydantic checks strictly: no "3" for 3, no unknown keys, no NaN.
"""

import dataclasses
import json
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from srmodels.errors import ConfigError

__all__ = [
    "RENAMED",
    "ProblemCollector",
    "check",
    "check_least",
    "flat",
    "one_of",
    "section_adapter",
    "shown",
]

T = TypeVar("T")

_LONGEST = 200  # characters of a value in a message
_LINE = 900  # characters of a message

# Old key -> new key; * stands for a recipe's or a preset's name.
RENAMED: dict[str, str] = {
    "data.official_lr": "data.lr, with the value official for true and bicubic for false",
    "evaluate.lpips": "evaluate.perceptual",
    "evaluate.alpha": "evaluate.strengths",
    "models.*.*.pretrain.init_from": "init_from, at the top",
}


@cache
def section_adapter(section: type[Any]) -> TypeAdapter[Any]:
    """The strict pydantic adapter of a dataclass and of the dataclasses inside it."""
    strict = with_config(ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
    seen: set[type[Any]] = set()

    def prepare(hint: Any) -> None:  # noqa: ANN401 - any annotation at all
        for argument in getattr(hint, "__args__", ()):
            prepare(argument)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint not in seen:
            seen.add(hint)
            strict(hint)
            for field_hint in get_type_hints(hint).values():
                prepare(field_hint)

    prepare(section)
    return TypeAdapter(section)


def check_least(settings: object, least: float, *names: str) -> None:
    """Raises ValueError, for a dataclass's own check, unless the named values are high enough."""
    for name in names:
        if getattr(settings, name) < least:
            raise ValueError(f"{name} must be {least:g} or more")


def shown(value: object) -> str:
    """A value for a message, on one line and shortened."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def flat(values: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Full keys and values of nested mappings; an empty mapping is a value."""
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from flat(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, values


def one_of(where: str, name: object, known: Sequence[str], *, kind: str = "name") -> str:
    """The message for a name that is not among the known ones, with the closest of them."""
    closest = get_close_matches(str(name)[:_LONGEST], known, n=1)
    hint = f" (did you mean {closest[0]}?)" if closest else ""
    return f"{where}: unknown {kind} (got {shown(name)}). Use one of {', '.join(known)}{hint}"


def _unknown_key(key: str, known: Sequence[str]) -> str:
    for old, new in RENAMED.items():
        if fnmatchcase(key, old):
            return f"{key}: this key is now {new}. Rename it"
    return one_of(key, key.rpartition(".")[2], known, kind="key")


def _section_at(section: type[Any], path: Sequence[str]) -> type[Any]:
    """The dataclass that a path of keys below a section leads to."""
    for key in path:
        hint = get_type_hints(section).get(key)
        types = [c for c in (hint, *getattr(hint, "__args__", ())) if isinstance(c, type)]
        section = next((c for c in types if dataclasses.is_dataclass(c)), section)
    return section


def _check_failed(where: str, section: type[Any], message: str, values: Mapping[str, Any]) -> str:
    """A ValueError of a section's own check; names the key that the message begins with."""
    defaults = {
        field.name: field.default_factory()
        if field.default_factory is not dataclasses.MISSING
        else field.default
        for field in dataclasses.fields(section)
    }
    named = [word for word in dict.fromkeys(re.findall(r"\w+", message)) if word in defaults]
    got = {name: values.get(name, defaults[name]) for name in named}
    start = re.match(r"(\w+)(?:: | (?=must|belongs|needs))", message)
    values_shown = ", ".join(f"{name}={shown(value)}" for name, value in (got or values).items())
    if start and start[1] in got:
        where, message = ".".join(filter(None, [where, start[1]])), message[start.end() :]
        values_shown = shown(got[start[1]])
    return f"{where}: {message}" + ("" if "(got" in message else f" (got {values_shown})")


def _message(where: str, section: type[Any], error: Mapping[str, Any]) -> str:
    # pydantic adds the class of a union's member to the path; keys of ours are lower case
    path = [str(part) for part in error["loc"] if not str(part)[:1].isupper()]
    key = ".".join([where, *path] if where else path)
    if error["type"] == "unexpected_keyword_argument":
        fields = dataclasses.fields(_section_at(section, path[:-1]))
        return _unknown_key(key, sorted(field.name for field in fields))
    if error["type"].startswith("missing"):
        return f"{key}: missing. Give it a value, because it has no default"
    if error["type"] == "value_error":
        message = error["msg"].removeprefix("Value error, ")
        return _check_failed(key, _section_at(section, path), message, error["input"])
    problem = re.sub("^Input should (be )?", "must be ", error["msg"])
    return f"{key}: {problem[0].lower()}{problem[1:]} (got {shown(error['input'])})"


class ProblemCollector:
    """Collects the problems of all sections, so that one ConfigError lists them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def add(self, problem: str) -> None:
        """Notes a problem, on one line: keys and values may hold anything."""
        line = "".join(char if char.isprintable() else repr(char)[1:-1] for char in problem)
        self.problems.append(line if len(line) <= _LINE else f"{line[:_LINE]}...")

    def raise_problems(self) -> None:
        """Raises a ConfigError with a line per problem, if there are any."""
        if self.problems:
            raise ConfigError("\n".join(self.problems))

    def section(self, values: object, section: type[Any], where: str) -> Any:  # noqa: ANN401 - an instance of `section`, or None beside a problem
        """An instance of the dataclass `section`, or None if there is a problem.

        Args:
            values: The mapping in params.yaml.
            section: A frozen dataclass.
            where: The mapping's full key, such as "models.srgan.quickstart.pretrain".
        """
        if not isinstance(values, Mapping):
            self.add(f"{where or 'params.yaml'}: must be a section with keys (got {shown(values)})")
            return None
        try:
            # JSON mode is strict, yet accepts a mapping for a dataclass and a list for a tuple
            return section_adapter(cast("Hashable", section)).validate_json(
                json.dumps(values, default=str)
            )
        except ValidationError as error:
            for detail in error.errors():
                self.add(_message(where, section, detail))
            return None

    def mapping(
        self, values: object, keys: set[str], where: str, optional: Set[str] | None = frozenset()
    ) -> Mapping[str, Any]:
        """`values` with checked keys, {} if it is no mapping; `optional` None allows any key."""
        prefix = f"{where}." if where else ""
        if not isinstance(values, Mapping):
            self.add(f"{where or 'params.yaml'}: must be a section with keys (got {shown(values)})")
            return {}
        if optional is not None:
            known = keys | optional
            for key in values.keys() - known:
                self.add(_unknown_key(f"{prefix}{key}", sorted(known)))
        for key in sorted(keys - values.keys()):
            self.add(f"{prefix}{key}: missing. Add this key")
        return values

    def named(
        self, values: object, key: str, where: str, known: Sequence[str]
    ) -> tuple[str, dict[str, Any]] | None:
        """Splits {key: NAME, ...settings}; None if there is no name or no known one."""
        if not isinstance(values, Mapping) or key not in values:
            self.add(f"{where}.{key}: missing (got {shown(values)}). Add this key")
        elif values[key] not in known:
            self.add(one_of(f"{where}.{key}", values[key], known))
        else:
            return values[key], {k: v for k, v in values.items() if k != key}
        return None


def check(values: object, section: type[T], where: str) -> T:
    """An instance of the dataclass `section` from a mapping whose full key is `where`.

    Raises:
        ConfigError: A line for every key that is unknown, missing or has a wrong value.
    """
    problems = ProblemCollector()
    checked: T | None = problems.section(values, section, where)
    problems.raise_problems()
    assert checked is not None, "a section without problems"
    return checked
