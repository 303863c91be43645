"""Writes a new network, objective or loss: module, test and recipe, which pass all checks."""

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Literal

from srmodels.atomic import write_bytes
from srmodels.errors import ConfigError

__all__ = ["Kind", "write_files"]

Kind = Literal["network", "objective", "loss"]
_FOLDERS: dict[Kind, str] = {"network": "models", "objective": "objectives", "loss": "losses"}
_NAME = re.compile("[a-z][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class _File:
    path: Path
    text: str


def _check_name(kind: Kind, name: str, root: Path) -> None:
    where = f"new {kind}"
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ConfigError(
            f"{where}: no name for a module (got {name!r}). Use lower-case letters, digits and _."
        )
    params = root / "params.yaml"
    if not params.is_file() or not (root / "srmodels" / _FOLDERS[kind]).is_dir():
        raise ConfigError(f"{where}: no repository here (got no params.yaml). Go to its root.")
    taken = [folder for folder in _FOLDERS.values() if _module(root, folder, name).exists()]
    if taken:
        raise ConfigError(
            f"{where}: this name is taken (got {_module(root, taken[0], name).relative_to(root)}). "
            "Use another one."
        )
    if kind != "loss" and re.search(rf"^  {name}:$", params.read_text(encoding="utf-8"), re.M):
        raise ConfigError(
            f"{where}: params.yaml has a recipe of this name (got {name!r}). Use another one."
        )


def _module(root: Path, folder: str, name: str) -> Path:
    return root / "srmodels" / folder / f"{name}.py"


def write_files(kind: Kind, name: str, *, root: Path) -> list[Path]:
    """Writes the module, its test and, except for a loss, a recipe at the end of params.yaml.

    Raises:
        ConfigError: The name is none for a module, or is taken.
    """
    _check_name(kind, name, root)
    title = name.replace("_", " ").capitalize()
    words = {"name": name, "Class": title.title().replace(" ", ""), "Title": title}

    def filled(file: str) -> str:
        text = Path(__file__).with_name(file).read_text(encoding="utf-8")
        return Template(text).substitute(words)

    folder = _FOLDERS[kind]
    files = [
        _File(path=_module(root, folder, name), text=filled(f"{kind}.py.txt")),
        _File(path=root / "tests" / folder / f"test_{name}.py", text=filled(f"test_{kind}.py.txt")),
    ]
    if kind != "loss":
        params = root / "params.yaml"
        text = params.read_text(encoding="utf-8").rstrip() + "\n" + filled(f"{kind}.yaml.txt")
        files.append(_File(path=params, text=text))
    for file in files:
        write_bytes(file.path, file.text.encode())
    return [file.path for file in files]
