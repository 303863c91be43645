"""Jobs of the worker processes: decode a photograph, upscale it, inspect weights.

Decoded pixels are stored as 8-bit .npy files, of which the server reads crops.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from srmodels.demo.types import (
    Choices,
    ComputeOptions,
    DecodedImage,
    GeneratorFile,
    Limits,
    Result,
)
from srmodels.demo.worker import Progress
from srmodels.errors import SrmodelsError
from srmodels.images.colour import Pixels, round_to_8
from srmodels.images.readers.source_image import read_image
from srmodels.images.writers.row_stream import RowStream
from srmodels.images.writers.write import write_rows
from srmodels.inference.files.enlarge import OutputOptions, upscale_image
from srmodels.inference.generators.generator import Generator
from srmodels.inference.weights.open_weights import open_mixed, open_weights
from srmodels.machine import resolve_device

_MAX_STEM = 80  # characters


def safe_stem(path: Path) -> str:
    """A file's name without its suffix, with characters and a length that every system allows."""
    stem = "".join(
        letter if letter.isalnum() or letter in " ._-()" else "_" for letter in path.stem
    )
    return stem[:_MAX_STEM].strip(" .") or "picture"


def _to_display(rows: Pixels) -> Pixels:
    """Rows (R, W, 1 to 4), uint8 or uint16, as opaque uint8 (R, W, 1 or 3) on white."""
    pixels = round_to_8(rows) if rows.dtype == np.uint16 else rows  # type: ignore[arg-type]
    if pixels.shape[2] in (1, 3):
        return pixels
    alpha = pixels[..., -1:].astype(np.uint16)
    opaque: Pixels = ((pixels[..., :-1] * alpha + 255 * (255 - alpha) + 127) // 255).astype(
        np.uint8
    )
    return opaque


def _save_pixels(stream: RowStream, path: Path, progress: Progress) -> Iterator[Pixels]:
    """Yields a stream's rows and stores them for display."""
    channels = 1 if stream.channels < 3 else 3
    pixels = open_memmap(path, "w+", np.uint8, (stream.height, stream.width, channels))
    end = 0
    for rows in stream.bands:
        start, end = end, end + len(rows)
        pixels[start:end] = _to_display(rows)
        progress(end / stream.height)
        yield rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPhoto:
    """Decodes a file and stores its pixels."""

    file: Path
    pixels: Path
    max_pixels: int

    def run(self, progress: Progress) -> DecodedImage:
        """Decodes the file; raises PhotoError if that fails or the image is too large."""
        image = read_image(self.file, max_pixels=self.max_pixels)
        channels = [image.colour] if image.alpha is None else [image.colour, image.alpha[..., None]]
        pixels = _to_display(np.concatenate(channels, axis=2))
        np.save(self.pixels, np.ascontiguousarray(pixels))
        progress(1.0)
        return DecodedImage(
            file=self.file,
            pixels=self.pixels,
            icc=image.metadata.icc,
            height=pixels.shape[0],
            width=pixels.shape[1],
            bits=8 * image.colour.itemsize,
            kind=image.kind,
            notes=image.notes,
        )


@lru_cache(maxsize=2)
def _open_generator(weights: GeneratorFile, strength: float, compute: ComputeOptions) -> Generator:
    device = resolve_device(compute.device)
    if weights.pretrained is None or strength == 1:
        return open_weights(
            weights.path, device=device, tile=compute.tile, precision=compute.precision
        )
    return open_mixed(
        weights.path,
        weights.pretrained,
        strength,
        device=device,
        tile=compute.tile,
        precision=compute.precision,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscaleJob:
    """Upscales one photograph with one or more generators to files in a folder.

    A VAE also draws `samples` samples, with the seeds of `srmodels upscale --samples`.
    """

    file: Path
    folder: Path
    generators: tuple[GeneratorFile, ...]
    samples: int
    limits: Limits
    choices: Choices

    def run(self, progress: Progress) -> tuple[Result, ...]:
        """Returns the results in the generators' order, samples after the default output."""
        outputs = [
            (generator, sample)
            for generator in self.generators
            for sample in range(1 + self.samples * generator.has_samples)
        ]
        results = list[Result]()
        for generator, sample in outputs:

            def report(share: float, done: int = len(results)) -> None:
                progress((done + share) / len(outputs))

            results.append(self._upscale(generator, sample, report))
        return tuple(results)

    def _upscale(self, weights: GeneratorFile, sample: int, progress: Progress) -> Result:
        generator = _open_generator(weights, self.choices.strength, self.limits.compute)
        start = time.monotonic()
        photo = read_image(self.file, max_pixels=self.limits.max_pixels)
        seed, kind = sample - 1 if sample else None, self.choices.file_format
        options = OutputOptions(scale=self.choices.scale)
        stream = upscale_image(photo, generator, options, kind, seed=seed)
        kind.check(self.file.name, stream.height, stream.width)
        name = f"{safe_stem(self.file)}-{weights.label}{f'-{sample}' if sample else ''}"
        output, pixels = self.folder / f"{name}{kind.suffixes[0]}", self.folder / f"{name}.npy"
        with output.open("w+b") as file:
            stream = replace(stream, bands=_save_pixels(stream, pixels, progress))
            write_rows(file, stream, kind, name=self.file.name)
        image = DecodedImage(
            file=output,
            pixels=pixels,
            icc=stream.metadata.icc,
            height=stream.height,
            width=stream.width,
            bits=stream.bits,
            kind=kind.name,
        )
        seconds = time.monotonic() - start
        return Result(label=weights.label, sample=sample, image=image, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectWeights:
    """Opens weights files to check them."""

    paths: tuple[Path, ...]

    def run(self, progress: Progress) -> tuple[bool | str, ...]:
        """For each path, whether the generator has samples, or the error message."""
        answers = list[bool | str]()
        for path in self.paths:
            try:
                answers.append(open_weights(path).has_samples)
            except SrmodelsError as error:
                answers.append(str(error))
            progress(len(answers) / len(self.paths))
        return tuple(answers)
