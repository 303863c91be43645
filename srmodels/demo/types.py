"""What the server sends to its worker processes and receives from them."""

from dataclasses import dataclass
from pathlib import Path

from srmodels.images.writers.formats import Format
from srmodels.inference.tiling.device import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeOptions:
    """How networks compute, as `open_weights` takes it."""

    device: str
    tile: int
    precision: Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Largest image and number of VAE samples for visitors, and how networks compute."""

    max_pixels: int
    max_samples: int
    compute: ComputeOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a visitor chose for a result."""

    scale: float
    file_format: Format
    strength: float  # 0 for the pretrained weights, 1 for the GAN's, where there are both


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorFile:
    """A file of weights, offered on the page under a unique label."""

    label: str
    path: Path
    has_samples: bool
    trained_for: str = ""  # the pictures that it was trained for
    pretrained: Path | None = None  # the weights before the GAN phase, to mix with


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedImage:
    """An image file and its pixels."""

    file: Path
    pixels: Path  # .npy, uint8 (H, W, 1 or 3), with transparency blended onto white
    icc: bytes | None  # colour profile of the pixels; None is sRGB
    height: int
    width: int
    bits: int  # per channel of the file
    kind: str  # file type such as RAW, HEIF or JPEG
    notes: tuple[str, ...] = ()  # what the decoder changed or left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An upscaled image."""

    label: str  # of the generator
    sample: int  # number of a VAE's sample from 1; 0 is the generator's default output
    image: DecodedImage
    seconds: float  # from reading the photograph to writing the result
