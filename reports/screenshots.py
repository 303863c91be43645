"""Screenshots of the report, the demo and MLflow's comparison: docs/{report,demo,mlflow}.png.

`python -m reports.screenshots [report] [demo] [mlflow]`, after some experiments; `make pictures`
runs it. A Chromium that is installed is driven by Playwright.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from PIL import Image

from reports.command_line import ROOT, command_line, run
from srmodels.errors import ConfigError, DataError, TrainingError
from srmodels.images.readers.folder import photo_files
from srmodels.runs.experiments import newest
from srmodels.runs.store import PORT, comparison_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]  # as containers need them
WIDTH, HEIGHT = 1280, 1600
PATIENCE = 240_000  # milliseconds
COMPARED, CHARTS = 2, "pretrain.(pixel|validation)"  # on MLflow's page: runs, names of charts
MIDDLE = "pretrain/validation_psnr_y"  # charts of pictures come first, whatever is searched
_SETTLED = 2000  # milliseconds from the last element to its final place

app = command_line("Screenshots for the documentation.")


def find_browser() -> str:
    """The path of a Chromium; raises ConfigError if there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise ConfigError(
            f"screenshots: no Chromium on the path (got none of {', '.join(BROWSERS)}). Install it "
            "(Debian, Ubuntu: apt install chromium)."
        )
    return found


@contextmanager
def new_page() -> Iterator["Page"]:
    """A page of a headless browser."""
    path = find_browser()
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise ConfigError(
            "screenshots: Playwright is missing. Run: pip install -e '.[docs]'"
        ) from None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A program of this Python's, with its children, until the block ends."""
    process = subprocess.Popen(  # noqa: S603 - no shell
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _save(page: "Page", name: str) -> None:
    """Writes docs/NAME.png in 256 colours."""
    page.wait_for_timeout(_SETTLED)
    path = ROOT / "docs" / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    typer.echo(f"{path}: {path.stat().st_size // 1024} KB")


def _goto(page: "Page", address: str) -> None:
    """Opens an address once its server answers."""
    from playwright.sync_api import Error

    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            page.goto(address)
        except Error:  # nothing listens yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def mlflow(page: "Page") -> None:
    """The curves of the two newest trainings in common charts."""
    runs = newest(COMPARED, root=ROOT)
    if len(runs) < COMPARED:
        raise TrainingError(
            f"MLflow: too few runs to compare (got {len(runs)}). Run `dvc exp run -S model=esrgan`."
        )
    address, port = comparison_page(runs[0].experiment, [run.id for run in runs]), _free_port()
    with running("mlflow", "ui", "--workers", "1", "--port", str(port)):
        page.set_viewport_size({"width": 1600, "height": 900})
        _goto(page, address.replace(f":{PORT}/", f":{port}/"))
        page.locator(".scatterlayer .trace").nth(1).wait_for(state="attached")
        page.get_by_placeholder("Search metric charts").fill(CHARTS)
        title = page.get_by_text("MLflow Assistant")
        if title.count():  # a column that hides half of the charts
            title.locator("xpath=ancestor::*[.//button][1]").get_by_role("button").last.click()
        chart = page.get_by_text(MIDDLE, exact=True).first
        chart.evaluate("chart => chart.scrollIntoView({block: 'center'})")
        page.mouse.move(0, 0)
        _save(page, "mlflow")


def report(page: "Page") -> None:
    """The report of all experiments, without photographs, which docs/GALLERY.md shows itself."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        with running("srmodels.cli.main", "report", "-o", str(path), "--pictures", "0") as process:
            process.wait()
        if not path.is_file():
            raise DataError("report: was not written. Run `srmodels report`, which says why.")
        page.goto(path.as_uri())
        _save(page, "report")


def demo(page: "Page") -> None:
    """A test photograph, enlarged with the weights of the last run."""
    photograph = next(iter(photo_files(ROOT / "data" / "patches" / "test")), None)
    if photograph is None:
        raise DataError("data/patches/test: no photograph. Run `dvc repro patches`.")
    weights = str(ROOT / "weights" / "generator.safetensors")
    words = ("demo", "--weights", weights, "--port", str(_free_port()))
    with running("srmodels.cli.main", *words) as process:
        assert process.stdout is not None
        address = re.match(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        if address is None:
            raise DataError("demo: did not start. Run `srmodels demo`, which says why.")
        page.goto(address[0])
        page.wait_for_selector("#upscale")
        page.set_input_files("input[type=file]", photograph)
        page.wait_for_selector("#preview img")
        page.click("#upscale")
        page.wait_for_selector("#crop img")
        page.set_viewport_size({"width": WIDTH, "height": 1120})
        page.evaluate("scrollTo(0, 0)")
        _save(page, "demo")


# MLflow last: it wants two runs
PICTURES: dict[str, Callable[["Page"], None]] = {"report": report, "demo": demo, "mlflow": mlflow}


@app.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(help=", ".join(PICTURES))] = None,
) -> None:
    """Write the named screenshots, or all."""
    for name in names or PICTURES:
        if name not in PICTURES:
            raise ConfigError(
                f"screenshots: unknown name (got {name!r}). Use {', '.join(PICTURES)}."
            )
        with new_page() as page:
            PICTURES[name](page)


if __name__ == "__main__":
    run(app)
