"""Tone mapping of HDR images by ITU-R BT.2446-1 (2021), method A, from 1000 to 100 cd/m2."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BT2020_LUMA", "HDR_PEAK", "tone_map"]

HDR_PEAK, _SDR_PEAK = 1000.0, 100.0  # cd/m2
BT2020_LUMA = np.array((0.2627, 0.6780, 0.0593), np.float32)


def tone_map(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """BT.2020 display light over `HDR_PEAK` to BT.2020 light over `_SDR_PEAK` (BT.2446-1, 4)."""
    signal = light.clip(0, 1) ** np.float32(1 / 2.4)
    luma = signal @ BT2020_LUMA
    p_hdr, p_sdr = (1 + 32 * (peak / 10000) ** (1 / 2.4) for peak in (HDR_PEAK, _SDR_PEAK))
    lightness = np.log1p((p_hdr - 1) * luma) / np.log(p_hdr)
    knee = np.where(
        lightness <= 0.7399,
        1.0770 * lightness,
        np.where(
            lightness < 0.9909,
            (-1.1510 * lightness + 2.7811) * lightness - 0.6302,
            0.5 * lightness + 0.5,
        ),
    )
    mapped = (p_sdr**knee - 1) / (p_sdr - 1)
    share = mapped / (1.1 * np.maximum(luma, 1e-6))
    blue, red = share * (signal[..., 2] - luma), share * (signal[..., 0] - luma)  # C'b, C'r scaled
    luma = mapped - np.maximum(0.1 * red / 1.4746, 0)
    r, _, b = BT2020_LUMA
    green = -(r * red + b * blue) / BT2020_LUMA[1]
    result = np.stack((luma + red, luma + green, luma + blue), axis=-1)
    return result.clip(0, 1).astype(np.float32) ** np.float32(2.4)
