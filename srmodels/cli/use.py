"""The command `srmodels use`: which photographs the pipeline reads."""

import os
import re
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from srmodels.cli.root import check_root

__all__ = ["set_value", "use"]


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


def use(
    folder: Annotated[str, typer.Argument(help="A folder of photographs, a set's name, or auto.")],
) -> None:
    """Set data.photos in params.yaml, after a check that the folder can be used."""
    from srmodels.data.datasets.catalog import MIX, set_names
    from srmodels.data.photos.folder import check_folder
    from srmodels.errors import DataError
    from srmodels.images.readers.folder import list_files

    data = Path("data")
    check_root()
    names = ["auto", *set_names(data), MIX]
    if folder in names:
        photos, found = folder, ""
    else:
        photos = os.path.normpath(Path(folder).expanduser().absolute())
        if not Path(photos).is_dir():
            problem = "is a file, not a folder" if Path(photos).exists() else "no such folder"
            raise DataError(
                f"FOLDER: {problem} (got {photos!r}). Name a folder of photographs, or one of "
                f"{', '.join(names)}."
            )
        check_folder("data.photos", photos, data, names=names)
        files, others = list_files(Path(photos))
        if not files:
            raise DataError(
                f"FOLDER: holds no photograph (got {photos!r} with {len(others)} other files). "
                "Name another folder."
            )
        found = f" ({len(files)} photographs, {len(others)} other files)"
    set_value("data.photos", photos)
    typer.echo(f"data.photos: {photos}{found}")
