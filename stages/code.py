"""Which code each stage's result rests on, so that DVC reruns a stage for that code and no other.

A stage cannot depend on the whole package (a comment would train for a week again) nor on a list
kept by hand (which forgets). This stage follows the imports, adds the networks and objectives the
recipe names, and writes a digest per module, blind to comments and docstrings.
"""

import ast
import hashlib
import importlib.util
import json
from functools import cache
from pathlib import Path

import grimp

from srmodels import params
from srmodels.recipe import Recipe
from stages import guard

STAGES = ("photos", "patches", "pretrain", "gan", "evaluate")
FOLDER = Path("data/code")

# Cannot change a number: what checks the configuration, keeps state or tells people.
SILENT = {
    "srmodels.params",
    "srmodels.recipe",
    "srmodels.config",
    "srmodels.errors",
    "srmodels.launcher",
    "srmodels.engine.tracking",
    "srmodels.engine.model_log",
    "srmodels.runs",
    "srmodels.runs.store",
    "srmodels.engine.checkpoint",
    "srmodels.engine.facts",
    "srmodels.engine.fitting",
    "srmodels.engine.memory",
    "srmodels.engine.pace",
    "srmodels.engine.profile",
    "srmodels.engine.progress",
    "srmodels.engine.signals",
    "stages",
    "stages.code",
    "stages.running",
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


@cache
def _graph() -> grimp.ImportGraph:
    graph = grimp.build_graph("srmodels", "stages", cache_dir=None)
    for module in SILENT - {"stages"}:
        graph.remove_module(module)
    return graph


def modules_of(stage: str, recipe: Recipe) -> list[str]:
    """Every module of ours whose code the stage's result rests on, sorted."""
    start = {f"stages.{stage}"} | named_modules(stage, recipe)
    found = set(start)
    for module in start:
        found |= _graph().find_upstream_modules(module)
    packages = {parent for module in found for parent in _parents(module)}
    return sorted((found | packages) - SILENT)


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


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


def code_of(stage: str, recipe: Recipe) -> dict[str, str]:
    """Digests by module name, for one stage."""
    digests = {}
    for module in modules_of(stage, recipe):
        spec = importlib.util.find_spec(module)
        assert spec is not None and spec.origin is not None, module  # noqa: PT018
        digests[module] = digest_of(Path(spec.origin).read_text(encoding="utf-8"))
    return digests


@guard
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for stage in STAGES:
        text = json.dumps(code_of(stage, settings.recipe), indent=1)
        (FOLDER / f"{stage}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
