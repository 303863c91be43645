"""Which modules a module's code rests on, and digests of them, blind to comments and docstrings."""

import ast
import hashlib
import importlib.util
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

import grimp

__all__ = ["behind", "digest_of", "digests"]


@cache
def _graph(packages: tuple[str, ...], without: frozenset[str]) -> grimp.ImportGraph:
    graph = grimp.build_graph(*packages, cache_dir=None)
    for module in without - set(packages):
        graph.remove_module(module)
    return graph


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def behind(
    modules: Collection[str], *, packages: tuple[str, ...], without: Collection[str] = ()
) -> list[str]:
    """Modules, all that they import, however indirectly, and the packages these lie in, sorted.

    Args:
        modules: Names such as "srmodels.resize".
        packages: Whose modules are of interest; others are not followed.
        without: Modules that are left out, and not followed either.
    """
    graph, found = _graph(packages, frozenset(without)), set(modules)
    for module in modules:
        found |= graph.find_upstream_modules(module)
    found |= {parent for module in found for parent in _parents(module)}
    return sorted(found - set(without))


def digest_of(source: str) -> str:
    """A digest of Python source that comments, docstrings and layout do not change."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not body or not isinstance(body[0], ast.Expr):
            continue
        if isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
            body[:1] = [] if len(body) > 1 else [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:16]


def digests(modules: Iterable[str]) -> dict[str, str]:
    """Digests of the modules' source, by name."""
    found = {}
    for module in modules:
        spec = importlib.util.find_spec(module)
        assert spec is not None and spec.origin is not None, module  # noqa: PT018
        found[module] = digest_of(Path(spec.origin).read_text(encoding="utf-8"))
    return found
