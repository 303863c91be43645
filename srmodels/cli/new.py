"""The command `srmodels new`: a network, an objective or a loss of your own."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["new"]

_GENERATED = ("reports.settings", "reports.presets")  # pages and schema of params.yaml
_NEXT = {
    "network": "pytest tests/models && dvc exp run -S model={name} -S preset=smoke",
    "objective": "pytest tests/objectives && dvc exp run -S model={name} -S preset=smoke",
    "loss": "pytest tests/losses; then use it in an objective (CONTRIBUTING.md, Add a loss)",
}


def new(
    kind: Annotated[str, typer.Argument(help="network, objective or loss.")],
    name: Annotated[str, typer.Argument(help="Lower-case name of its module.")],
) -> None:
    """Write a module that works, its test and its recipe, for you to change."""
    from srmodels.config import one_of
    from srmodels.errors import ConfigError
    from srmodels.templates import write_files

    if kind not in _NEXT:
        raise ConfigError(one_of("new", kind, list(_NEXT), kind="kind"))
    root = Path()
    written = write_files(kind, name, root=root)  # type: ignore[arg-type]  # a key of _NEXT
    if kind != "loss":
        for module in _GENERATED:
            subprocess.run([sys.executable, "-m", module, "write"], cwd=root, check=True)  # noqa: S603
    for path in written:
        typer.echo(path)
    typer.echo(f"Next: {_NEXT[kind].format(name=name)}")
