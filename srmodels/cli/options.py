"""Options that several commands have."""

from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["Device", "Precision", "PrecisionName", "Speed", "Tile"]


class PrecisionName(StrEnum):
    """What the network computes in."""

    FP32 = "fp32"
    BF16 = "bf16"


Tile = Annotated[int, typer.Option(min=32, help="Side of a tile in pixels of the input.")]

Device = Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")]

Precision = Annotated[PrecisionName, typer.Option(help="bf16 is faster on recent processors.")]


class Speed(StrEnum):
    """What the network computes in; auto is bf16 where that is fast, for 8-bit pictures."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
