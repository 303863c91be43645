"""The modules that a stage's result depends on, and digests of them.

The modules are those that the stage imports, directly or not, and the networks and objectives that
the recipe names. Comments, docstrings and layout do not change a digest.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import grimp

from srmodels import models
from srmodels.recipe import Recipe

__all__ = ["SILENT", "STAGES", "code_digests", "digest_of", "stage_modules"]

STAGES = ("photos", "patches", "pretrain", "gan", "evaluate")

# Cannot change a number: configuration, resume state, logging.
SILENT = {
    "srmodels.params",
    "srmodels.recipe",
    "srmodels.config",
    "srmodels.errors",
    "srmodels.distributed.launcher",
    "srmodels.engine.tracking.mlflow_run",
    "srmodels.engine.tracking.mlflow_tracker",
    "srmodels.engine.tracking.mlflow_model",
    "srmodels.runs",
    "srmodels.runs.connection",
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
    "stages.resume",
    "stages.run_facts",
    "stages.tracking",
}


def recipe_modules(stage: str, recipe: Recipe) -> set[str]:
    """The networks and objectives that the stage imports by the names in the recipe."""
    if stage in ("photos", "patches"):
        return set()
    modules = {models.module_of(recipe.generator.name)}
    if stage == "pretrain":
        modules.add(f"srmodels.objectives.{recipe.pretrain.objective.name}")
    if stage == "gan" and recipe.adversarial is not None:
        modules |= {models.module_of(network.name) for network in recipe.networks()}
        modules.add(f"srmodels.objectives.{recipe.adversarial.objective.name}")
    return modules


@cache
def _graph() -> grimp.ImportGraph:
    graph = grimp.build_graph("srmodels", "stages", cache_dir=None)
    for module in SILENT - {"stages"}:
        graph.remove_module(module)
    return graph


def _parents(module: str) -> Iterable[str]:
    parts = module.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))


def stage_modules(stage: str, recipe: Recipe) -> list[str]:
    """The modules and packages that the stage's result depends on, sorted."""
    modules = {f"stages.{stage}"} | recipe_modules(stage, recipe)
    modules |= {found for module in modules for found in _graph().find_upstream_modules(module)}
    modules |= {parent for module in modules for parent in _parents(module)}
    return sorted(modules - SILENT)


@cache
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


def code_digests(stage: str, recipe: Recipe) -> dict[str, str]:
    """Digests by module name."""
    digests = {}
    for module in stage_modules(stage, recipe):
        spec = importlib.util.find_spec(module)
        assert spec is not None and spec.origin is not None, module  # noqa: PT018
        digests[module] = digest_of(Path(spec.origin).read_text(encoding="utf-8"))
    return digests
