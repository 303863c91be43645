"""The command `srmodels demo`: a page in the browser that enlarges photographs."""

import logging
import signal
import sys
import threading
from importlib.util import find_spec
from typing import Annotated

import typer

from srmodels.cli.options import Device, Speed, Tile
from srmodels.errors import ConfigError

__all__ = ["demo"]

log = logging.getLogger(__name__)

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def demo(  # noqa: PLR0917 - typer names them
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="A generator's file, other people's too, or models:/NAME@ALIAS; can be repeated.",
            show_default="weights/ and weights/recipes/ of the repository",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="0.0.0.0: whoever reaches this machine can use it.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, show_default="the first free from 7860 on")
    ] = None,
    max_upload: Annotated[int, typer.Option(min=1, help="MB of a file.")] = 100,
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Larger pictures are refused unread.")
    ] = 16_000_000,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that a picture may take.")] = 600,
    tile: Tile = 256,
    device: Device = "auto",
    precision: Annotated[
        Speed, typer.Option(help="auto: bf16 where fast, for 8 bits.")
    ] = Speed.AUTO,
) -> None:
    """Open a page that enlarges photographs, with before and after beside each other."""
    if find_spec("gradio") is None:
        raise ConfigError("demo: Gradio is not installed; pip install 'srmodels[demo]'")
    from srmodels.demo.server import Service, serving
    from srmodels.demo.types import ComputeOptions, Limits
    from srmodels.inference.tiling.device import resolve_device, resolve_precision

    resolve_precision(resolve_device(device), precision.value)
    computer = ComputeOptions(device=device, tile=tile, precision=precision.value)
    service = Service(
        host=host,
        port=port,
        max_upload=max_upload,
        timeout=timeout,
        rules=Limits(max_pixels=max_pixels, max_samples=8, computer=computer),
    )
    # so that the temporary folder goes, whoever ends it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with serving(service, weights or []) as address:
        if host not in _LOOPBACK:
            log.warning("--host %s: whoever reaches this machine can use the demo", host)
        typer.echo(f"{address} (Ctrl-C ends it)")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            typer.echo("ended", err=True)
