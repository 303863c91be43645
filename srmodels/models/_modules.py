"""Lists a package's modules and reads their constants without imports, on which stages depend."""

import ast
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from srmodels.config import one_of
from srmodels.errors import ConfigError


def modules_in(package_path: Iterable[str]) -> list[str]:
    """Sorted public modules of a package's `__path__`."""
    return sorted(module.name for module in iter_modules(package_path) if module.name[0] != "_")


def import_named(package: str, name: str, known: Sequence[str], where: str) -> ModuleType:
    """A module of a package; a ConfigError at `where` if its name is not a known one."""
    if name not in known:
        raise ConfigError(one_of(where, name, known))
    return import_module(f"{package}.{name}")


def constant_in(module: str, constant: str) -> object:
    """A literal at a module's top level, such as ROLE = "generator"; None if there is none."""
    spec = find_spec(module)
    assert spec is not None, f"{module} was found by pkgutil"
    assert spec.origin is not None, f"{module} is a file"
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant:
            value: object = ast.literal_eval(node.value)
            return value
    return None
