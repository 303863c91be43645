"""Options that several commands share."""

from typing import Annotated, Literal

import typer

__all__ = ["Device", "Engine", "MaxPixels", "Precision", "Tile"]

Tile = Annotated[int, typer.Option(min=32, help="Tile size in LR pixels.")]
Device = Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")]
MaxPixels = Annotated[int, typer.Option(min=1, help="Reject larger images before decoding.")]
Precision = Annotated[
    Literal["auto", "fp32", "bf16", "fp16"],
    typer.Option(help="auto: bf16 for 8-bit images where the device is fast at bf16, else fp32."),
]
Engine = Annotated[
    Literal["torch", "openvino"],
    typer.Option(help="openvino (the extra openvino): plain convolutional networks, on the CPU."),
]
