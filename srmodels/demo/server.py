"""The demo's server. All temporary files are in one folder, which is deleted at the end."""

import filecmp
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from srmodels.demo.jobs import InspectWeights
from srmodels.demo.session import Sessions
from srmodels.demo.types import GeneratorFile, Limits
from srmodels.demo.worker import Worker
from srmodels.errors import ConfigError, WeightsError
from srmodels.inference.weights.registry import public_file, weights_file
from srmodels.machine import repository
from srmodels.pretrained.generators import PUBLIC

if TYPE_CHECKING:
    import gradio as gr

log = logging.getLogger(__name__)

_MIN_IDLE_SECONDS = 3600
_PATTERN = "weights/*.safetensors"
_DISCRIMINATOR = "weights/discriminator.safetensors"  # for fine-tuning; it enlarges nothing
About = Callable[[str, Path], str]  # what --weights was given and the file: what it is trained for


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


def _pretrained(path: Path) -> Path | None:
    """The weights before the GAN phase beside the weights after it; None if there are no others."""
    other = path.with_name(path.name.replace("generator", "pretrained"))
    differ = other.is_file() and not filecmp.cmp(path, other, shallow=False)
    return other if differ else None


def _candidates(weights: Sequence[str], root: Path) -> Iterator[tuple[str, str, Path]]:
    """Label, name for `About`, and file of the weights that were named, or of all there are."""
    for name in weights:
        path = weights_file(name)
        yield path.stem, name, path
    if weights:
        return
    for path in sorted(set(root.glob(_PATTERN)) - {root / _DISCRIMINATOR}):
        yield path.stem, str(path), path
    for name in PUBLIC:
        try:
            yield name, name, public_file(name)
        except WeightsError as error:
            log.info("%s", error)


def _kept(path: Path, folder: Path) -> Path:
    """A copy, since the next experiment deletes the file; ncnn's pairs of files stay."""
    if path.suffix != ".safetensors":
        return path
    copy = folder / "weights" / str(len(list(folder.glob("weights/*")))) / path.name
    copy.parent.mkdir(parents=True)
    shutil.copyfile(path, copy)
    return copy


def find_generators(
    weights: Sequence[str], *, root: Path, worker: Worker, folder: Path, about: About
) -> dict[str, GeneratorFile]:
    """Opens weights by --weights' names, copies them to `folder`, and returns them by label.

    Without names, opens the files in weights/ below `root` and skips unusable ones with a warning,
    then the public generators that are here. Equal labels get a number.

    Raises:
        WeightsError: Named weights cannot be used, or there are none.
    """
    found = list(_candidates(weights, root))
    paths = tuple(path for _, _, path in found)
    generators: dict[str, GeneratorFile] = {}
    answers = worker.run(InspectWeights(paths=paths), stop=threading.Event())
    for (first, name, path), has_samples in zip(found, answers, strict=True):
        if isinstance(has_samples, str):
            if weights:
                raise WeightsError(has_samples)
            log.warning("skipped %s: %s", path.name, has_samples)
            continue
        label, number = first, 2
        while label in generators:
            label, number = f"{first} ({number})", number + 1
        start = _pretrained(path)
        generators[label] = GeneratorFile(
            label=label,
            path=_kept(path, folder),
            has_samples=has_samples,
            trained_for=about(name, path),
            pretrained=None if start is None else _kept(start, folder),
        )
    if not generators:
        raise WeightsError(
            f"{root / 'weights'}: no generator. Train one with `make repro`, or take "
            "Real-ESRGAN's: srmodels download realesrgan-x4plus."
        )
    return generators


@contextmanager
def serve(options: ServerOptions, weights: Sequence[str], about: About) -> Iterator[str]:
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
        generators = find_generators(
            weights, root=repository(), worker=upscale_worker, folder=folder, about=about
        )

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
