"""The hooks of mkdocs.yml: pages made at build time, and links to files outside docs/."""

import re
from pathlib import Path

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from typer.cli import get_docs_for_click

from reports.command_line import ROOT
from srmodels.cli.main import app

DOCS = ROOT / "docs"
BESIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
}
MODULES = (
    "srmodels.inference.api",
    "srmodels.errors",
    "srmodels.snapshot",
    "srmodels.images.readers.decode",
    "srmodels.images.writers.write",
    "srmodels.resize.tensors",
    "srmodels.resize.images",
    "srmodels.evaluation.protocol",
    "srmodels.evaluation.scores",
    "srmodels.losses.pixel",
    "srmodels.losses.perceptual",
    "srmodels.losses.adversarial",
    "srmodels.objectives",
    "srmodels.models",
    "srmodels.engine.train",
)


def command_line() -> str:
    """The page of the command line, by typer."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="srmodels")
    text: str = get_docs_for_click(obj=command, ctx=context, name="srmodels", title="Command line")
    return text


def package() -> str:
    """The page of the package's docstrings, for mkdocstrings."""
    return "# Package\n\n" + "\n\n".join(f"::: {module}" for module in MODULES)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages and those beside docs/."""
    for name, page in BESIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / name)))
    files.append(File.generated(config, "CLI.md", content=command_line()))
    files.append(File.generated(config, "PACKAGE.md", content=package()))
    return files


def page_of(path: Path) -> str | None:
    """A file's page or picture of the site, relative to its root; None for other files."""
    if path in (DOCS, DOCS / "README.md"):
        return "index.md"
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    return BESIDE.get(path.relative_to(ROOT).as_posix())


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs gives them
    """Leads links to the site's pages; of links to the repository's other files the text stays."""
    folder = ROOT if page.file.src_uri in BESIDE.values() else DOCS

    def link(found: re.Match[str]) -> str:
        text, name, anchor = found.groups(default="")
        path = (folder / name).resolve()
        target = page_of(path)
        if target is None:
            return f"`{path.relative_to(ROOT)}`" if path.exists() else found[0]
        return f"[{text}]({target}{anchor})"

    return re.sub(r"\[([^\]]*)\]\(([^)#:]+)(#[^)]*)?\)", link, markdown)
