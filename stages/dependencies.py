"""Which code each stage's result rests on, followed from its imports and its recipe's names."""

from srmodels.code_digest import behind, digests
from srmodels.recipe import Recipe

__all__ = ["SILENT", "STAGES", "code_of", "modules_of"]

STAGES = ("photos", "patches", "pretrain", "gan", "evaluate")

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


def modules_of(stage: str, recipe: Recipe) -> list[str]:
    """Every module of ours whose code the stage's result rests on, sorted."""
    start = {f"stages.{stage}"} | named_modules(stage, recipe)
    return behind(start, packages=("srmodels", "stages"), without=SILENT)


def code_of(stage: str, recipe: Recipe) -> dict[str, str]:
    """Digests by module name, for one stage."""
    return digests(modules_of(stage, recipe))
