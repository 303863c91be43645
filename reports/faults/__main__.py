"""`python -m reports.faults`: measure the faults, and write the page of them."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import typer
from PIL import Image

from reports.faults.case import Fault
from reports.faults.dataset import StudyData
from reports.faults.page import FAULTS, read_numbers, with_faults
from srmodels.errors import ProtocolError, SrmodelsError

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ROOT / "metrics" / "faults"
PAGE = ROOT / "docs" / "FAULTS.md"

app = typer.Typer(
    help="Faults of public code, measured beside this project's way.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _named(names: list[str]) -> list[Fault]:
    known = {fault.name: fault for fault in FAULTS}
    if unknown := [name for name in names if name not in known]:
        raise ProtocolError(f"faults: no such fault (found {unknown[0]!r}); {', '.join(known)}")
    return [known[name] for name in names] or list(FAULTS)


def _write(fault: Fault, ground: StudyData) -> Path:
    measured = fault.measure(ground)
    NUMBERS.mkdir(exist_ok=True)
    path = NUMBERS / f"{fault.name}.json"
    path.write_text(json.dumps(measured.numbers, indent=2) + "\n", encoding="utf-8")
    if measured.picture is not None:
        shown = PAGE.with_name(f"faults-{fault.name}.jpg")
        Image.fromarray(measured.picture).save(shown, quality=90)
    return path


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Which faults; none: all.")] = None,
) -> None:
    """Measure faults: writes metrics/faults/NAME.json and docs/faults-NAME.jpg."""
    chosen = _named(names or [])
    torch.set_num_threads(1)  # how many there are decides the last digits
    with TemporaryDirectory() as folder:
        ground = StudyData(Path(folder))
        for fault in chosen:
            typer.echo(_write(fault, ground))


@app.command()
def show() -> None:
    """Write docs/FAULTS.md from those files."""
    results = [(fault, read_numbers(fault, NUMBERS)) for fault in FAULTS]
    PAGE.write_text(with_faults(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    try:
        app()
    except SrmodelsError as error:
        sys.exit(f"error: {error}")
