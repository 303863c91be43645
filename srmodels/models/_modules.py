"""Modules found by name in a package, and what they say of themselves without being imported.

A stage's result must rest on the modules it names and on no others, so asking what there is reads
source text and imports nothing.
"""

import ast
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

__all__ = ["constant_in", "modules_in"]


def modules_in(package_path: Iterable[str]) -> list[str]:
    """The modules of a package's `__path__`, sorted; none that begins with _."""
    return sorted(each.name for each in iter_modules(package_path) if each.name[0] != "_")


def constant_in(module: str, constant: str) -> object:
    """A module's top-level literal, such as ROLE = "generator"; None if it has none.

    Args:
        module: The module's full name.
        constant: The literal's name.
    """
    spec = find_spec(module)
    assert spec is not None, f"{module} was found by pkgutil"
    assert spec.origin is not None, f"{module} is a file"
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant:
            value: object = ast.literal_eval(node.value)
            return value
    return None
