"""The command `srmodels use`: which photographs the pipeline reads."""

import os
import re
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["use"]


_LINE = re.compile(r"^data:\n(?:  .*\n)*?  photos: (.*?)(?= #|$)", re.MULTILINE)


def set_photos(text: str, photos: str) -> str:
    """The text of params.yaml with another value of `data.photos`, and nothing else changed."""
    from ruamel.yaml import YAML

    from srmodels.errors import ConfigError

    line = _LINE.search(text)
    if line is None:
        raise ConfigError("data.photos: missing in params.yaml. Add this key below `data:`.")
    yaml, written = YAML(), StringIO()
    yaml.width = len(photos) + 100  # on one line
    yaml.dump({"photos": photos}, written)
    value = written.getvalue().removeprefix("photos: ").rstrip("\n")
    return text[: line.start(1)] + value + text[line.end(1) :]


def use(
    folder: Annotated[str, typer.Argument(help="A folder of photographs, a set's name, or auto.")],
) -> None:
    """Set data.photos in params.yaml, after a check that the folder can be used."""
    from srmodels.atomic import write_bytes
    from srmodels.data.datasets.catalog import MIX, set_names
    from srmodels.data.photos.folder import check_folder
    from srmodels.errors import ConfigError, DataError
    from srmodels.images.readers.folder import list_files

    params, data = Path("params.yaml"), Path("data")
    if not params.is_file():
        raise ConfigError("params.yaml: not found. Run in the repository's root.")
    if folder in ("auto", MIX, *set_names(data)):
        photos, found = folder, ""
    else:
        photos = os.path.normpath(Path(folder).expanduser().absolute())
        if not Path(photos).is_dir():
            raise DataError(f"FOLDER: no such folder (got {photos!r}). Name one of photographs.")
        check_folder("data.photos", photos, data)
        files, others = list_files(Path(photos))
        if not files:
            raise DataError(
                f"FOLDER: holds no photograph (got {photos!r} with {len(others)} other files). "
                "Name another folder."
            )
        found = f" ({len(files)} photographs, {len(others)} other files)"
    text = params.read_text(encoding="utf-8")
    write_bytes(params, set_photos(text, photos).encode())
    typer.echo(f"data.photos: {photos}{found}. Next: dvc repro")
