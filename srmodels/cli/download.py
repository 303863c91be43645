"""The command `srmodels download`: fetch a dataset before the pipeline needs it."""

from typing import Annotated

import typer

from srmodels.machine import repository

__all__ = ["download"]


def download(
    name: Annotated[str, typer.Argument(help="A dataset such as div2k, or mix.")],
    official_lr: Annotated[
        bool, typer.Option("--official-lr", help="Also download the dataset's own LR images.")
    ] = False,
    scale: Annotated[int, typer.Option(min=2, max=8, help="Scale of the official LR images.")] = 4,
) -> None:
    """Download and unpack a dataset into the cache (SRMODELS_DATA)."""
    from srmodels.config import one_of
    from srmodels.data.datasets.catalog import MIX, resolve_folders, set_names
    from srmodels.errors import DataError
    from srmodels.images.readers.folder import photo_files

    data = repository() / "data"
    names = [*set_names(data), MIX]
    if name not in names:
        raise DataError(one_of("NAME", name, names))
    for source in resolve_folders(name, data=data, scale=scale, official_lr=official_lr):
        count, splits = len(photo_files(source.folder)), ", ".join(source.splits)
        typer.echo(f"{source.folder}: {count} photographs for {splits}")
        if source.lr is not None:
            typer.echo(f"{source.lr}: {len(photo_files(source.lr))} LR pictures")
