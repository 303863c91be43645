"""The command `srmodels download`: fetch a dataset or weights before the pipeline needs them."""

from typing import Annotated

import typer

from srmodels.machine import repository

__all__ = ["PERCEPTUAL", "download"]

PERCEPTUAL = "perceptual"  # ImageNet's, LPIPS', DISTS' and NIQE's weights


def download(
    name: Annotated[
        str,
        typer.Argument(
            help="A dataset such as div2k; mix; perceptual; or weights of `srmodels weights`."
        ),
    ],
    official_lr: Annotated[
        bool, typer.Option("--official-lr", help="Also download the dataset's own LR images.")
    ] = False,
    scale: Annotated[int, typer.Option(min=2, max=8, help="Scale of the official LR images.")] = 4,
) -> None:
    """Download a dataset, or weights of a generator or the perceptual metrics, to SRMODELS_DATA."""
    from srmodels.config import one_of
    from srmodels.data.datasets.catalog import MIX, resolve_folders, set_names
    from srmodels.errors import DataError
    from srmodels.images.readers.folder import photo_files
    from srmodels.pretrained.generators import PUBLIC

    if name == PERCEPTUAL:
        from srmodels.pretrained.fetch import fetch_weights

        for path in fetch_weights():
            typer.echo(path)
        return
    if name in PUBLIC:
        from srmodels.inference.weights.registry import public_file

        typer.echo(public_file(name, download=True))
        return
    data = repository() / "data"
    names = [*set_names(data), MIX, PERCEPTUAL, *PUBLIC]
    if name not in names:
        raise DataError(one_of("NAME", name, names))
    for source in resolve_folders(name, data=data, scale=scale, official_lr=official_lr):
        count, splits = len(photo_files(source.folder)), ", ".join(source.splits)
        typer.echo(f"{source.folder}: {count} photographs for {splits}")
        if source.lr is not None:
            typer.echo(f"{source.lr}: {len(photo_files(source.lr))} LR pictures")
