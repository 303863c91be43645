"""The command `srmodels demo`: upscale photographs in the browser."""

import logging
import signal
import sys
import threading
from importlib.util import find_spec
from typing import Annotated

import typer

from srmodels.cli.options import Device, MaxPixels, Precision, Tile
from srmodels.cli.weights import trained_for
from srmodels.errors import ConfigError
from srmodels.machine import let_idle_threads_sleep

__all__ = ["demo"]

log = logging.getLogger(__name__)

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def demo(  # noqa: PLR0917 - typer passes them by name
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="A name of `srmodels weights`, a file of weights, or models:/NAME@ALIAS. Repeat "
            "the option for several.",
            show_default="all of `srmodels weights` that are here",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="0.0.0.0: everyone who reaches this machine can use the demo.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, show_default="the first free port from 7860")
    ] = None,
    max_upload: Annotated[int, typer.Option(min=1, help="Largest file in MB.")] = 100,
    max_pixels: MaxPixels = 16_000_000,
    timeout: Annotated[float, typer.Option(min=1, help="Time limit per image in seconds.")] = 600,
    tile: Tile = 256,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Serve a web page that upscales photographs and shows them before and after."""
    let_idle_threads_sleep()
    if find_spec("gradio") is None:
        raise ConfigError("demo: Gradio is missing. Run: pip install 'srmodels[demo]'")
    from srmodels.demo.server import ServerOptions, serve
    from srmodels.demo.types import ComputeOptions, Limits
    from srmodels.inference.tiling.device import resolve_precision
    from srmodels.machine import resolve_device

    resolve_precision(resolve_device(device), precision)
    options = ServerOptions(
        host=host,
        port=port,
        max_upload=max_upload,
        timeout=timeout,
        limits=Limits(
            max_pixels=max_pixels,
            max_samples=8,
            compute=ComputeOptions(device=device, tile=tile, precision=precision),
        ),
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary files are deleted
    with serve(options, weights or [], trained_for) as address:
        if host not in _LOOPBACK:
            log.warning("--host %s: everyone who reaches this machine can use the demo", host)
        typer.echo(f"{address} (press Ctrl-C to stop)")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
