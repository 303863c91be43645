"""README.md, CONTRIBUTING.md and docs/: lengths, generated parts, links and commands."""

import json
import re
import shlex
import subprocess
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML

from reports.markdown import fill_section
from reports.readme import BENCHMARKS, benchmark, page_of, scores
from reports.recipes import PAGE, read_results, recipes_table
from srmodels.cli.main import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PARAMS = YAML(typ="safe").load(ROOT / "params.yaml")
CLI = typer.main.get_command(app)
NOT_COMPARED = {"many-experiments", "many-photographs", "phone"}  # benchmarks of one way alone
PLACES = {"KEY"}  # where the reader writes a word
NO_KEY = ("EXPERIMENTS.md", "models.srgan.smoke.adversarial.weights.adversarial")  # DVC refuses it


def committed(name: str) -> str:
    """A file as the last commit has it: experiments change those of the working tree."""
    done = subprocess.run(
        ["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The headings' anchors, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.*)", without_blocks(page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> list[tuple[str, list[str]]]:
    """The lines of all ```sh blocks and those after a `$`, as page and words."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            lines = block.splitlines()
            shown = [line[2:] for line in lines if line.startswith("$ ")]
            typed = lines if kind == "sh" else shown
            for line in typed:
                parts = re.split(r" && | & ", line)
                found += [(page.name, shlex.split(part, comments=True)) for part in parts]
    return [(page, words) for page, words in found if words]


COMMANDS = commands()


DEFAULT = ("srgan", "quickstart")  # recipe and preset


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 1200
    assert sum(line.startswith("|") for line in README.splitlines()) <= 20
    assert len(README.split("## What is where", 1)[1].split("```")[1].splitlines()) <= 21


def test_the_scores_are_those_of_the_pipelines_metrics_file() -> None:
    content = scores(json.loads(committed("metrics/evaluate.json")), read_results(ROOT), *DEFAULT)
    page = committed("README.md")
    assert fill_section(page, "scores", content) == page
    assert "This recipe takes" in content


def test_the_readme_leaves_out_a_machine_that_is_not_recorded() -> None:
    metrics = json.loads(committed("metrics/evaluate.json"))
    results = [result | {"device": "not recorded"} for result in read_results(ROOT)]
    assert scores(metrics, results, *DEFAULT).endswith(" minutes (pretraining + GAN).")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmarks_table_is_the_one_of_its_file(name) -> None:
    page = page_of(name).read_text(encoding="utf-8")
    assert fill_section(page, name, benchmark(name)) == page
    table = page.split(f"<!-- {name} -->")[1].split("<!--")[0]
    assert "Machine: " in table
    assert name in NOT_COMPARED or "ours" in table


def test_the_table_of_recipes_is_that_of_their_files() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert fill_section(page, "recipes", recipes_table(read_results(ROOT))) == page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_its_heading(page) -> None:
    for link in re.findall(r"\]\(([^):]+)\)", without_blocks(page.read_text(encoding="utf-8"))):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert all(f"({page.name})" in contents for page in PAGES[3:] if page.name != "README.md")


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "ARCHITECTURE.md"])
def test_every_folder_of_the_tree_is_there(page) -> None:
    text = page.read_text(encoding="utf-8")
    parent = ROOT
    for line in text.split("## What is where", 1)[1].split("```")[1].splitlines()[1:]:
        indent, name = re.match(r"( *)(\S+)", line).groups()
        if len(indent) > 2:
            continue  # the rest of a description
        parent = parent if indent else ROOT
        assert (parent / name).exists(), line
        parent = parent if indent else ROOT / name


PAPERS = [name for name, presets in PARAMS["models"].items() if "paper" in presets]


@pytest.mark.parametrize("model", PAPERS)
def test_the_readme_names_every_recipe_of_a_paper(model) -> None:
    assert f"`{model}`" in README


def parse(words: list[str]) -> None:
    """Parses a command line without running it; raises for a wrong one."""
    command = CLI
    while hasattr(command, "resolve_command"):  # a group
        _, command, words = command.resolve_command(typer.Context(command), words)
    command.make_context("srmodels", list(words))


def test_every_srmodels_command_is_one() -> None:
    typed = [words[1:] for _, words in COMMANDS if words[0] == "srmodels"]
    assert len(typed) > 30
    for words in typed:
        parse(words)
    with pytest.raises(Exception, match="No such option: --strenght"):
        parse(["upscale", "a.png", "-o", "b.png", "--strenght", "0.5"])


def test_every_setting_of_a_command_is_a_key() -> None:
    settings = [
        (page, setting)
        for page, words in COMMANDS
        if words[:3] == ["dvc", "exp", "run"]
        for option, setting in pairwise(words)
        if option == "-S"
    ]
    assert len(settings) > 20
    for page, setting in settings:
        key = setting.partition("=")[0]
        names = key.removeprefix("++").split(".")
        place = PARAMS
        for name in names[:-1] if key.startswith("++") else names:
            if key in PLACES or (page, key) == NO_KEY:
                break
            assert name in place, (page, setting)
            place = place[name]


def test_every_make_target_and_module_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE))
    assert {"repro", "test", "report", "docs"} <= named <= targets
    modules = set(re.findall(r"python -m ((?:stages|reports|benchmarks)\.\w+)", text))
    assert len(modules) > 5
    assert all(find_spec(module) for module in modules)
