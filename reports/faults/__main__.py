"""`python -m reports.faults`: measures the faults and writes docs/FAULTS.md."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import typer
from PIL import Image

from reports.command_line import ROOT, command_line
from reports.command_line import run as run_app
from reports.faults.case import Fault, StudyData
from reports.faults.page import FAULTS, read_numbers, sections
from reports.markdown import fill_sections
from srmodels.errors import ProtocolError

NUMBERS = ROOT / "metrics" / "faults"
PAGE = ROOT / "docs" / "FAULTS.md"

app = command_line("Faults of public code, measured beside this project's way.")


def _write(fault: Fault, data: StudyData) -> Path:
    measured = fault.measure(data)
    NUMBERS.mkdir(exist_ok=True)
    path = NUMBERS / f"{fault.name}.json"
    path.write_text(json.dumps(measured.numbers, indent=2) + "\n", encoding="utf-8")
    if measured.picture is not None:
        picture = PAGE.with_name(f"faults-{fault.name}.jpg")
        Image.fromarray(measured.picture).save(picture, quality=90)
    return path


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Which faults; none: all.")] = None,
) -> None:
    """Measure faults: writes metrics/faults/NAME.json and docs/faults-NAME.jpg."""
    chosen = names or list(FAULTS)
    if unknown := [name for name in chosen if name not in FAULTS]:
        raise ProtocolError(
            f"faults: no such fault (got {unknown[0]!r}). Use one of {', '.join(FAULTS)}."
        )
    torch.set_num_threads(1)  # the number of threads changes the last digits
    with TemporaryDirectory() as folder:
        data = StudyData(Path(folder))
        for name in chosen:
            typer.echo(_write(FAULTS[name], data))


@app.command()
def show() -> None:
    """Write docs/FAULTS.md from those files."""
    results = [(fault, read_numbers(fault, NUMBERS)) for fault in FAULTS.values()]
    fill_sections(PAGE, {"faults": sections(results)})


if __name__ == "__main__":
    run_app(app)
