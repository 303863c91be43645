"""What travels between the page and its processes."""

from dataclasses import dataclass
from pathlib import Path

from srmodels.inference.tiling.device import Precision

__all__ = ["Choice", "ComputeOptions", "Limits", "Picture", "Result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeOptions:
    """Where and how networks compute; see `generator.Generator`."""

    device: str
    tile: int
    precision: Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Weights that can be chosen; `label` is what the page calls them."""

    label: str
    path: Path
    scale: int
    has_samples: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as the page shows it.

    Attributes:
        pixels: An .npy file, uint8 (H, W, 1 or 3), opaque.
        icc: The profile of their colours; None: sRGB.
        height: In pixels.
        width: In pixels.
        bits: A channel of the file has.
        kind: Of the file: RAW, HEIF, JPEG and so on.
        notes: What was done to it, a sentence each.
    """

    pixels: Path
    icc: bytes | None
    height: int
    width: int
    bits: int
    kind: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A picture that was made.

    Attributes:
        label: Of the weights.
        number: Of the sample; 0: a VAE's most likely picture, or another network's only one.
        file: The PNG to hand out.
        seconds: From the file that was read to the file that was written.
    """

    label: str
    number: int
    file: Path
    picture: Picture
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What visitors may do, and how it is computed.

    Attributes:
        max_pixels: Of a picture that is enlarged.
        max_samples: Of a VAE, for each picture.
        computer: Where networks compute.
    """

    max_pixels: int
    max_samples: int
    computer: ComputeOptions
