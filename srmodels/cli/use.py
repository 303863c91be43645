"""The command `srmodels use`: which photographs the pipeline reads."""

import os
import re
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from srmodels.cli.root import check_root

__all__ = ["checked_photographs", "set_value", "use"]


_LINES = {  # where params.yaml has a value
    "data.photos": re.compile(r"^data:\n(?:  .*\n)*?  photos: (.*?)(?= #|$)", re.MULTILINE),
    "preset": re.compile(r"^preset: (.*?)(?= #|$)", re.MULTILINE),
}


def with_value(text: str, key: str, value: str) -> str:
    """The text of params.yaml with another value of a key of `_LINES`, and nothing else changed."""
    from ruamel.yaml import YAML

    from srmodels.errors import ConfigError

    line = _LINES[key].search(text)
    if line is None:
        raise ConfigError(f"{key}: missing in params.yaml. Add this key.")
    yaml, written = YAML(), StringIO()
    yaml.width = len(value) + 100  # on one line
    yaml.dump({"key": value}, written)
    shown = written.getvalue().removeprefix("key: ").rstrip("\n")
    return text[: line.start(1)] + shown + text[line.end(1) :]


def set_value(key: str, value: str) -> None:
    """Changes a value in params.yaml."""
    from srmodels.atomic import write_bytes

    params = Path("params.yaml")
    text = params.read_text(encoding="utf-8")
    write_bytes(params, with_value(text, key, value).encode())


def _outputs(root: Path) -> list[Path]:
    """Where the stages of dvc.yaml write, below the root; a template's folder for the template."""
    from ruamel.yaml import YAML

    file = root / "dvc.yaml"
    stages = YAML(typ="safe").load(file)["stages"] if file.is_file() else {}
    found = []
    for entry in stages.values():
        stage = entry.get("do", entry)
        for kind in ("outs", "metrics", "plots"):
            for output in stage.get(kind, []):
                (path,) = output if isinstance(output, dict) else [output]
                found.append(root / stage.get("wdir", "") / path.partition("${")[0])
    return found


def _check_place(folder: Path) -> None:
    """Raises for a folder that DVC cannot read, or in which it writes itself."""
    from srmodels.errors import DataError

    if "${" in str(folder):
        raise DataError(
            f"FOLDER: has ${{ in its path, which DVC takes for a setting (got {str(folder)!r}). "
            "Rename it."
        )
    place, root = folder.resolve(), Path().resolve()
    if root.is_relative_to(place):
        raise DataError(
            f"FOLDER: holds this repository, in which DVC writes (got {str(folder)!r}). Move the "
            "photographs to a folder of their own."
        )
    for output in _outputs(root):
        written = output.resolve()
        if place.is_relative_to(written) or written.is_relative_to(place):
            raise DataError(
                f"FOLDER: is where the pipeline writes {output.relative_to(root)} (got "
                f"{str(folder)!r}). Move the photographs to a folder of their own."
            )


def checked_photographs(folder: str) -> tuple[str, list[Path], str]:
    """The value of data.photos, a folder's photographs, and their number in words.

    Raises:
        ConfigError: There is no params.yaml here.
        DataError: The folder cannot be used.
    """
    from srmodels.data.datasets.catalog import MIX, set_names
    from srmodels.data.photos.folder import check_folder
    from srmodels.errors import DataError
    from srmodels.images.readers.folder import list_files

    data = Path("data")
    check_root()
    names = ["auto", *set_names(data), MIX]
    if folder in names:
        return folder, [], ""
    if not folder:
        raise DataError(
            "FOLDER: is empty (got ''). Name a folder of photographs, or one of "
            f"{', '.join(names)}."
        )
    photos = os.path.normpath(Path(folder).expanduser().absolute())
    if not Path(photos).is_dir():
        problem = "is a file, not a folder" if Path(photos).exists() else "no such folder"
        raise DataError(
            f"FOLDER: {problem} (got {photos!r}). Name a folder of photographs, or one of "
            f"{', '.join(names)}."
        )
    _check_place(Path(photos))
    check_folder("data.photos", photos, data, names=names)
    files, others = list_files(Path(photos))
    if not files:
        raise DataError(
            f"FOLDER: holds no photograph (got {photos!r} with {len(others)} other files). "
            "Name another folder."
        )
    return photos, files, f" ({len(files)} photographs, {len(others)} other files)"


def use(
    folder: Annotated[str, typer.Argument(help="A folder of photographs, a set's name, or auto.")],
) -> None:
    """Set data.photos in params.yaml, after a check that the folder can be used."""
    photos, _, found = checked_photographs(folder)
    set_value("data.photos", photos)
    typer.echo(f"data.photos: {photos}{found}")
