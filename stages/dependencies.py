"""Which code each stage's result rests on: its imports, and the modules that its recipe names.

Digests of that code are blind to comments and docstrings.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

import grimp

from srmodels.recipe import Recipe

__all__ = [
    "SILENT",
    "STAGES",
    "code_digests",
    "dependencies_of",
    "digest_of",
    "digests",
    "stage_modules",
]

STAGES = ("photos", "patches", "pretrain", "gan", "evaluate")

# Cannot change a number: what checks the configuration, keeps state or tells people.
SILENT = {
    "srmodels.params",
    "srmodels.recipe",
    "srmodels.config",
    "srmodels.errors",
    "srmodels.distributed.launcher",
    "srmodels.engine.tracking.mlflow_tracker",
    "srmodels.engine.tracking.mlflow_model",
    "srmodels.runs",
    "srmodels.runs.store",
    "srmodels.engine.checkpoint.checkpoint",
    "srmodels.engine.checkpoint.fingerprint",
    "srmodels.engine.memory",
    "srmodels.engine.profiler",
    "srmodels.engine.tracking.progress",
    "srmodels.engine.checkpoint.stop_signals",
    "stages",
    "stages.code",
    "stages.dependencies",
    "stages.running",
    "stages.tracking",
}


def named_modules(stage: str, recipe: Recipe) -> set[str]:
    """The modules that the recipe names and the stage imports by that name."""
    if stage in ("photos", "patches"):
        return set()
    found = {f"srmodels.models.{recipe.generator.name}"}
    if stage == "evaluate":
        return found
    if stage == "pretrain":
        found.add(f"srmodels.objectives.{recipe.pretrain.objective.name}")
    if stage == "gan" and recipe.adversarial is not None:
        found |= {f"srmodels.models.{network.name}" for network in recipe.networks()}
        found.add(f"srmodels.objectives.{recipe.adversarial.objective.name}")
    return found


def stage_modules(stage: str, recipe: Recipe) -> list[str]:
    """Every module of ours whose code the stage's result rests on, sorted."""
    start = {f"stages.{stage}"} | named_modules(stage, recipe)
    return dependencies_of(start, packages=("srmodels", "stages"), without=SILENT)


def code_digests(stage: str, recipe: Recipe) -> dict[str, str]:
    """Digests by module name, for one stage."""
    return digests(stage_modules(stage, recipe))


@cache
def _graph(packages: tuple[str, ...], without: frozenset[str]) -> grimp.ImportGraph:
    graph = grimp.build_graph(*packages, cache_dir=None)
    for module in without - set(packages):
        graph.remove_module(module)
    return graph


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def dependencies_of(
    modules: Collection[str], *, packages: tuple[str, ...], without: Collection[str] = ()
) -> list[str]:
    """Modules, all that they import, however indirectly, and the packages these lie in, sorted.

    Args:
        modules: Names such as "srmodels.resize.tensors".
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
