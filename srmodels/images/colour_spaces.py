"""Colour spaces given by numbers: primaries and a transfer curve, converted to sRGB.

The code points are ITU-T H.273's (CICP): cICP in PNG, nclx in HEIC and AVIF. gAMA and cHRM of PNG
and the headers of BMP give the numbers themselves. The curves of PQ and HLG are ITU-R BT.2100-2,
tables 4 and 5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels
from srmodels.images.tone_mapping import BT2020_LUMA, HDR_PEAK, tone_map

__all__ = [
    "ADOBE_RGB",
    "D50",
    "SRGB",
    "ColourSpace",
    "Hdr",
    "from_cicp",
    "from_gamma",
    "linear_to_srgb",
    "map_rows",
    "space_to_srgb",
    "xyz_to_linear_srgb",
]

Hdr = Literal["refuse", "tonemap"]
Floats = NDArray[np.float32]
Curve = float | Literal["sRGB", "PQ", "HLG"]  # a number is the exponent of the decoded value
Chromaticities = tuple[tuple[float, float], ...]  # x and y of red, green, blue and white

_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
D50 = (0.3457, 0.3585)
_BT709: Chromaticities = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65)
# H.273, table 2. 5 to 7, of standard-definition video, are as wide as sRGB and taken for it, as
# phones write them for sRGB.
_PRIMARIES: dict[int, Chromaticities] = {
    **dict.fromkeys((1, 2, 5, 6, 7, 22), _BT709),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
# H.273, table 3. Photographs marked with video's curve (1, 6, 7, 11, 12, 14, 15) hold sRGB's.
_CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 2, 6, 7, 11, 12, 13, 14, 15), "sRGB"),
    **{4: 2.2, 5: 2.8, 8: 1.0, 16: "PQ", 17: 2.6, 18: "HLG"},
}
_NAMES = {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
_CHUNK = 2**19  # pixels converted at once
_STEPS = 2**16
_SAME_CURVE = 0.15  # of the exponent: 1/2.2, which writers of sRGB give
_SAME_XY = 0.005


@dataclass(frozen=True, slots=True)
class ColourSpace:
    """An RGB space; grey has its curve only."""

    name: str
    primaries: Chromaticities = _BT709
    curve: Curve = "sRGB"

    @property
    def is_srgb(self) -> bool:
        """Whether there is nothing to convert."""
        return self.curve == "sRGB" and np.allclose(self.primaries, _BT709, atol=_SAME_XY)

    @property
    def is_hdr(self) -> bool:
        """Whether its values go beyond diffuse white."""
        return self.curve in ("PQ", "HLG")


SRGB = ColourSpace("sRGB")
# Adobe RGB (1998) Color Image Encoding, sections 4.2.1 and 4.3.1.2
ADOBE_RGB = ColourSpace("Adobe RGB", ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), _D65), 2.19921875)


def from_cicp(primaries: int, transfer: int) -> ColourSpace:
    """The space of two code points; raises PhotoError for one that is not converted."""
    if primaries not in _PRIMARIES or transfer not in _CURVES:
        raise PhotoError(
            f"has colours of a kind that is not read (got H.273 primaries {primaries} and transfer "
            f"characteristics {transfer}). Export sRGB"
        )
    curve = _CURVES[transfer]
    name = _NAMES.get(primaries, f"primaries {primaries}" if primaries in (4, 8) else "BT.709")
    name += "" if curve == "sRGB" else f", {curve if isinstance(curve, str) else f'gamma {curve}'}"
    return ColourSpace(name, _PRIMARIES[primaries], curve)


def from_gamma(gamma: float | None, primaries: Chromaticities | None, name: str) -> ColourSpace:
    """The space of a decoding exponent and of chromaticities; None is sRGB's."""
    near_srgb = gamma is None or abs(gamma - 2.2) < _SAME_CURVE
    return ColourSpace(name, primaries or _BT709, "sRGB" if near_srgb else float(gamma))  # type: ignore[arg-type]


def _to_xyz(primaries: Chromaticities) -> NDArray[np.float64]:
    """Linear RGB to XYZ, with Y of white 1 (SMPTE RP 177, section 3.3)."""
    columns = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]).T
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])


# Bradford's cone responses (Lam 1985), as in ICC.1:2022, annex E
_BRADFORD = np.array(
    ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
)


def _adapt(white: tuple[float, float], to: tuple[float, float]) -> NDArray[np.float64]:
    (x, y), (u, v) = white, to
    before = _BRADFORD @ (x / y, 1, (1 - x - y) / y)
    after = _BRADFORD @ (u / v, 1, (1 - u - v) / v)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(after / before) @ _BRADFORD)


def xyz_to_linear_srgb(white: tuple[float, float] = D50) -> NDArray[np.float64]:
    """The matrix to linear sRGB from XYZ relative to a white; D50 is that of profiles."""
    return np.asarray(np.linalg.inv(_to_xyz(_BT709)) @ _adapt(white, _D65))


def _encode_table() -> NDArray[np.uint16]:
    root = np.linspace(0, 1, _STEPS)
    linear = root * root
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (encoded * 65535 + 0.5).astype(np.uint16)


_ENCODED = _encode_table()


def linear_to_srgb(linear: Floats) -> NDArray[np.uint16]:
    """Linear values, clipped to [0, 1], by sRGB's curve (IEC 61966-2-1) in 16 bits."""
    root = np.sqrt(linear.clip(0, 1))
    return np.asarray(_ENCODED[(root * (_STEPS - 1) + 0.5).astype(np.uint16)])


def map_rows(
    values: Pixels, convert: Callable[[Pixels], NDArray[np.uint16]], channels: int
) -> Pixels:
    """Converts (H, W, C) to (H, W, `channels`) in parts; the result has the input's type."""
    height, width = values.shape[:2]
    result = np.empty((height, width, channels), values.dtype)
    rows = max(1, _CHUNK // width)
    for top in range(0, height, rows):
        part = convert(values[top : top + rows])
        # 65535 / 257 is 255
        result[top : top + rows] = (
            part if values.dtype == np.uint16 else (part.astype(np.uint32) + 128) // 257
        )
    return result


def _decode_pq(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    return np.asarray(10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1))


def _decode_hlg(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scene light in [0, 1]."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _linear_table(curve: Curve, size: int) -> Floats:
    signal = np.linspace(0, 1, size)
    if curve == "PQ":
        linear = _decode_pq(signal) / HDR_PEAK
    elif curve == "HLG":
        linear = _decode_hlg(signal)
    elif curve == "sRGB":
        linear = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    else:
        linear = signal**curve
    return linear.astype(np.float32)


def _refuse_hdr(space: ColourSpace) -> None:
    raise PhotoError(
        f"is a high dynamic range image (got {space.curve}). Export it in standard range, or set "
        "patches.hdr: tonemap"
    )


def space_to_srgb(values: Pixels, space: ColourSpace, notes: list[str], *, hdr: Hdr) -> Pixels:
    """Converts grey (H, W, 1) or RGB (H, W, 3) of 8 or 16 bits; `notes` says how.

    Raises PhotoError for PQ and HLG if `hdr` is "refuse".
    """
    if space.is_hdr and hdr == "refuse":
        _refuse_hdr(space)
    if space.is_srgb:
        return values
    table = _linear_table(space.curve, np.iinfo(values.dtype).max + 1)
    to_xyz = _to_xyz(space.primaries)
    adapted = _adapt(space.primaries[3], _D65) @ to_xyz
    matrix = (np.linalg.inv(_to_xyz(_BT709)) @ adapted).T.astype(np.float32)
    to_2020 = (np.linalg.inv(_to_xyz(_PRIMARIES[9])) @ adapted).T.astype(np.float32)
    from_2020 = (np.linalg.inv(_to_xyz(_BT709)) @ _to_xyz(_PRIMARIES[9])).T.astype(np.float32)

    def convert(part: Pixels) -> NDArray[np.uint16]:
        light = table[part]
        if space.is_hdr:
            light = np.broadcast_to(light, (*light.shape[:2], 3)) @ to_2020
            if space.curve == "HLG":  # the system gamma of a display of 1000 cd/m2
                luminance = np.maximum(light @ BT2020_LUMA, 0)
                light = light * luminance[..., None] ** np.float32(0.2)
            return linear_to_srgb(tone_map(light) @ from_2020)[..., : part.shape[2]]
        return linear_to_srgb(light @ matrix if part.shape[2] == 3 else light)

    how = "tone-mapped by BT.2446 method A" if space.is_hdr else "converted"
    notes.append(f"{how} from {space.name} to sRGB")
    return map_rows(values, convert, values.shape[2])
