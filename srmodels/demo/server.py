"""The server of the demo: on this machine alone unless told otherwise, and gone without a trace.

All its files are in one temporary folder, which is deleted when it ends.
"""

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from srmodels.demo.generators import choices
from srmodels.demo.session import Sessions
from srmodels.demo.types import Limits
from srmodels.demo.worker import Worker
from srmodels.errors import ConfigError
from srmodels.machine import repository

if TYPE_CHECKING:
    import gradio as gr

__all__ = ["Service", "serving"]

log = logging.getLogger(__name__)

_KEEP = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How the demo is served.

    Attributes:
        host: The address it listens on.
        port: There; None: the first free one from 7860 on.
        max_upload: MiB of a file.
        timeout: Seconds that one picture may take.
        rules: What visitors may do.
    """

    host: str
    port: int | None
    max_upload: int
    timeout: float
    rules: Limits

    @property
    def keep(self) -> int:
        """Seconds until what visitors left behind is deleted."""
        return max(_KEEP, 2 * int(self.timeout))

    @property
    def terms(self) -> str:
        """The limits, for visitors."""
        return (
            f"Files up to {self.max_upload:,} MB and {self.rules.max_pixels / 1e6:,g} megapixels; "
            f"at most {self.timeout:g} s a picture, one at a time. Results are deleted when you "
            f"leave, your file within {self.keep // 60 + 1} minutes."
        )


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A folder for Gradio's files and ours, and for nobody else."""
    with tempfile.TemporaryDirectory(prefix="srmodels-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        # Gradio reads both when it is imported, or later
        os.environ["GRADIO_TEMP_DIR"] = str(folder)
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        yield folder


@contextmanager
def serving(service: Service, weights: Sequence[str]) -> Iterator[str]:
    """Serves the demo as long as the block lasts.

    Args:
        service: How.
        weights: Files of generators; empty: those of the repository.

    Yields:
        The page's address.

    Raises:
        WeightsError: There is no generator.
        ConfigError: The address or the port cannot be had.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(_own_folder())
        eyes = stack.enter_context(closing(Worker(service.timeout)))
        hands = stack.enter_context(closing(Worker(service.timeout)))
        found = choices(weights, root=repository(), worker=hands)

        # both import Gradio, which takes seconds and reads the environment
        from srmodels.demo.events import Events
        from srmodels.demo.page import build

        visits = Sessions(folder, keep=service.keep)
        events = Events(found, service.rules, visits=visits, eyes=eyes, hands=hands)
        demo = build(found, events, service.rules, terms=service.terms, keep=service.keep)
        stack.callback(demo.close, verbose=False)
        yield _launch(demo, service, folder)


def _launch(demo: "gr.Blocks", service: Service, folder: Path) -> str:
    from starlette.middleware import Middleware

    from srmodels.demo.page import CSS, theme
    from srmodels.demo.path_filter import PathFilterMiddleware

    logging.getLogger("httpx").setLevel(logging.WARNING)  # Gradio asks itself whether it is there
    try:
        _, address, _ = demo.launch(
            server_name=service.host,
            server_port=service.port,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            show_error=False,
            ssr_mode=False,
            enable_monitoring=False,
            mcp_server=False,
            pwa=False,
            allowed_paths=[],
            footer_links=[],
            max_file_size=service.max_upload * 2**20,
            app_kwargs={"middleware": [Middleware(PathFilterMiddleware, folder=folder)]},
            theme=theme(),
            css=CSS,
        )
    except OSError:
        raise ConfigError(
            f"--host, --port: cannot be listened on (found {service.host}, "
            f"{service.port or 'no free port'}); choose others, or end what is there"
        ) from None
    return str(address)
