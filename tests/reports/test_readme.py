import json
import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reports.markdown import fill_section
from reports.readme import BENCHMARKS, benchmark
from srmodels.evaluation.table import short_table

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def committed(name: str) -> str:
    """A file as the last commit has it: experiments change those of the working tree."""
    done = subprocess.run(
        ["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_table_is_the_one_of_the_pipelines_metrics_file() -> None:
    table = short_table(json.loads(committed("metrics/evaluate.json")), markdown=True)
    assert f"<!-- scores -->\n{table}\n<!-- /scores -->" in committed("README.md")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmarks_table_is_the_one_of_its_file(name) -> None:
    assert fill_section(README, name, benchmark(name)) == README
    assert "ours" in README.split(f"<!-- {name} -->")[1].split("<!--")[0]


def test_every_file_the_readme_links_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert all((ROOT / link).exists() for link in links)


def test_every_folder_of_the_tree_is_there() -> None:
    tree = README.split("## What is where", 1)[1].split("```")[1]
    names = [line.split()[0] for line in tree.splitlines() if line.strip() and line[0] != " "]
    assert all((ROOT / name).exists() for name in names)


@pytest.mark.parametrize("model", YAML(typ="safe").load(ROOT / "params.yaml")["models"])
def test_the_readme_names_every_recipe(model) -> None:
    assert f"`{model}`" in README
