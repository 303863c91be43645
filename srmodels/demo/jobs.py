"""What the page's processes do: look at a picture, enlarge it, open weights to know what they are.

Beside a result's file, its pixels are kept as 8-bit values in an .npy file: a window of it can be
shown without decoding all of it.
"""

import time
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from srmodels.demo.types import Choice, ComputeOptions, Picture, Result
from srmodels.demo.worker import Report
from srmodels.errors import SrmodelsError
from srmodels.images.colour import Pixels, round_to_8
from srmodels.images.readers.source_image import read_image
from srmodels.images.writers.formats import format_named
from srmodels.images.writers.row_stream import RowChunks, RowStream
from srmodels.images.writers.write import write_rows
from srmodels.inference.files.enlarge import OutputOptions, upscale_image
from srmodels.inference.generators.generator import Generator
from srmodels.inference.tiling.device import resolve_device
from srmodels.inference.weights.open import open_weights

__all__ = ["InspectWeights", "ReadPhoto", "UpscaleJob"]


def _shown(band: Pixels, *, has_alpha: bool) -> Pixels:
    """What one sees of rows, (rows, W, C): 8 bits, on white."""
    eight = round_to_8(band) if band.dtype == np.uint16 else band  # type: ignore[arg-type]
    if not has_alpha:
        return eight
    alpha = eight[..., -1:].astype(np.uint16)
    flat: Pixels = ((eight[..., :-1] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return flat


def _kept(sheet: RowStream, path: Path, report: Report) -> RowChunks:
    """A sheet's rows, which are kept to be looked at as they pass."""
    channels = 1 if sheet.channels < 3 else 3
    pixels = open_memmap(path, "w+", np.uint8, (sheet.height, sheet.width, channels))
    done = 0
    for band in sheet.bands:
        pixels[done : done + len(band)] = _shown(band, has_alpha=sheet.channels in (2, 4))
        done += len(band)
        report(done / sheet.height)
        yield band


def _part(report: Report, before: int, count: int, share: float) -> None:
    """Reports a share of one of several things as a share of them all."""
    report((before + share) / count)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPhoto:
    """Decodes a file, to show it before it is enlarged."""

    source: Path
    pixels: Path
    max_pixels: int

    def do(self, report: Report) -> Picture:
        """Looks.

        Raises:
            PhotoError: It cannot be decoded, or is too large.
        """
        whole = read_image(self.source, max_pixels=self.max_pixels)
        layers = [whole.colour] if whole.alpha is None else [whole.colour, whole.alpha[..., None]]
        seen = _shown(np.concatenate(layers, axis=2), has_alpha=whole.alpha is not None)
        np.save(self.pixels, np.ascontiguousarray(seen))
        report(1.0)
        return Picture(
            pixels=self.pixels,
            icc=whole.metadata.icc,
            height=seen.shape[0],
            width=seen.shape[1],
            bits=8 * whole.colour.itemsize,
            kind=whole.kind,
            notes=whole.notes,
        )


@lru_cache(maxsize=2)
def _generator(path: Path, _modified: int, computer: ComputeOptions) -> Generator:
    return open_weights(
        path,
        device=resolve_device(computer.device),
        tile=computer.tile,
        precision=computer.precision,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscaleJob:
    """Makes PNG files of one picture.

    Attributes:
        source: The picture's file.
        folder: Where the files go.
        stem: How their names begin.
        choices: The weights to use.
        samples: To draw of those that are a VAE's, beside the most likely picture.
        max_pixels: Larger pictures are refused.
        computer: Where the networks compute.
    """

    source: Path
    folder: Path
    stem: str
    choices: tuple[Choice, ...]
    samples: int
    max_pixels: int
    computer: ComputeOptions

    def do(self, report: Report) -> tuple[Result, ...]:
        """Enlarges; the results come in the order of the choices, a VAE's samples after its own.

        Raises:
            SrmodelsError: The picture or the weights cannot be used.
            OSError: The disk is full.
        """
        wanted = [
            (choice, number)
            for choice in self.choices
            for number in range(1 + self.samples * choice.has_samples)
        ]
        results = list[Result]()
        for choice, number in wanted:
            part = partial(_part, report, len(results), len(wanted))
            results.append(self._one(choice, number, part))
        return tuple(results)

    def _one(self, choice: Choice, number: int, report: Report) -> Result:
        modified = choice.path.stat().st_mtime_ns if choice.path.exists() else 0
        generator = _generator(choice.path, modified, self.computer)
        began = time.monotonic()
        whole, kind = read_image(self.source, max_pixels=self.max_pixels), format_named("png")
        seed = number - 1 if number else None  # the samples of `srmodels upscale --samples`
        sheet = upscale_image(whole, generator, OutputOptions(), kind, seed=seed)
        name = f"{self.stem}-{choice.label}{f'-{number}' if number else ''}"
        file, pixels = self.folder / f"{name}.png", self.folder / f"{name}.npy"
        with file.open("w+b") as opened:
            bands = _kept(sheet, pixels, report)
            write_rows(opened, replace(sheet, bands=bands), kind, name=self.source.name)
        picture = Picture(
            pixels=pixels,
            icc=sheet.metadata.icc,
            height=sheet.height,
            width=sheet.width,
            bits=sheet.bits,
            kind="PNG",
        )
        seconds = time.monotonic() - began
        return Result(
            label=choice.label, number=number, file=file, picture=picture, seconds=seconds
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectWeights:
    """Opens files of weights, each once, to know what they are; those that fail by their reason."""

    paths: tuple[Path, ...]

    def do(self, report: Report) -> tuple[tuple[Path, Choice | str], ...]:
        """Surveys them."""
        found = list[tuple[Path, Choice | str]]()
        for path in self.paths:
            found.append((path, self._one(path)))
            report(len(found) / len(self.paths))
        return tuple(found)

    def _one(self, path: Path) -> Choice | str:
        try:
            found = open_weights(path)
        except SrmodelsError as error:
            return str(error)
        return Choice(label=path.stem, path=path, scale=found.scale, has_samples=found.has_samples)
