"""The demo's server. All temporary files are in one folder, which is deleted at the end."""

import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from srmodels.demo.jobs import InspectWeights
from srmodels.demo.session import Sessions
from srmodels.demo.types import GeneratorFile, Limits
from srmodels.demo.worker import Worker
from srmodels.errors import ConfigError, WeightsError
from srmodels.inference.weights.registry import weights_file
from srmodels.machine import repository

if TYPE_CHECKING:
    import gradio as gr

__all__ = ["ServerOptions", "find_generators", "serve"]

log = logging.getLogger(__name__)

_MIN_IDLE_SECONDS = 3600
_PATTERN = "weights/*.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How the demo is served."""

    host: str
    port: int | None  # None is the first free port from 7860 on
    max_upload: int  # MiB per file
    timeout: float  # seconds per job
    limits: Limits

    @property
    def idle_seconds(self) -> int:
        """Files of visitors are deleted after this time without a request."""
        return max(_MIN_IDLE_SECONDS, 2 * int(self.timeout))

    @property
    def text(self) -> str:
        """The limits in words."""
        return (
            f"Files up to {self.max_upload:,} MB and {self.limits.max_pixels / 1e6:,g} megapixels; "
            f"at most {self.timeout:g} s per picture, one at a time. Results are deleted when you "
            f"leave, your file within {self.idle_seconds // 60 + 1} minutes."
        )


def find_generators(
    weights: Sequence[str], *, root: Path, worker: Worker
) -> dict[str, GeneratorFile]:
    """Opens weights files or models:/NAME@ALIAS, by label; equal labels get a number.

    Without names, opens the files in weights/ below `root` and skips unusable ones with a warning.

    Raises:
        WeightsError: A named file cannot be used, or there is none.
    """
    paths = [weights_file(name) for name in weights] or sorted(root.glob(_PATTERN))
    generators: dict[str, GeneratorFile] = {}
    answers = worker.run(InspectWeights(paths=tuple(paths)), stop=threading.Event())
    for path, has_samples in zip(paths, answers, strict=True):
        if isinstance(has_samples, str):
            if weights:
                raise WeightsError(has_samples)
            log.warning("skipped %s: %s", path.name, has_samples)
            continue
        label, number = path.stem, 2
        while label in generators:
            label, number = f"{path.stem} ({number})", number + 1
        generators[label] = GeneratorFile(label=label, path=path, has_samples=has_samples)
    if not generators:
        raise WeightsError(
            f"{root / 'weights'}: no generator. Train one with `dvc repro`, or name files with "
            "--weights."
        )
    return generators


@contextmanager
def serve(options: ServerOptions, weights: Sequence[str]) -> Iterator[str]:
    """Serves the demo until the block ends, with `find_generators(weights)`; yields the URL.

    Raises:
        WeightsError: There is no generator.
        ConfigError: The server cannot listen on the address.
    """
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="srmodels-demo-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary)).resolve()
        os.environ["GRADIO_TEMP_DIR"] = str(folder)
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        preview_worker = stack.enter_context(closing(Worker(options.timeout)))
        upscale_worker = stack.enter_context(closing(Worker(options.timeout)))
        generators = find_generators(weights, root=repository(), worker=upscale_worker)

        # both import Gradio, which takes seconds and reads the environment
        from srmodels.demo.events import Events
        from srmodels.demo.page import build_page

        events = Events(
            generators=generators,
            limits=options.limits,
            sessions=Sessions(folder, idle_seconds=options.idle_seconds),
            preview_worker=preview_worker,
            upscale_worker=upscale_worker,
        )
        page = build_page(events, text=options.text, idle_seconds=options.idle_seconds)
        stack.callback(page.close, verbose=False)
        yield _launch(page, options, folder)


def _launch(page: "gr.Blocks", options: ServerOptions, folder: Path) -> str:
    from starlette.middleware import Middleware

    from srmodels.demo.page import CSS, theme
    from srmodels.demo.path_filter import PathFilterMiddleware

    logging.getLogger("httpx").setLevel(logging.WARNING)  # Gradio's requests to its own server
    try:
        _, address, _ = page.launch(
            server_name=options.host,
            server_port=options.port,
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
            max_file_size=options.max_upload * 2**20,
            app_kwargs={"middleware": [Middleware(PathFilterMiddleware, folder=folder)]},
            theme=theme(),
            css=CSS,
        )
    except OSError:
        port = options.port or "no free port"
        raise ConfigError(
            f"--host, --port: cannot listen (got {options.host}, {port}). "
            "Choose another address, or stop the program that uses it."
        ) from None
    return str(address)
