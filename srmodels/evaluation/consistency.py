"""Whether SR shows what LR shows: made small again, it should be the LR it was made from.

Lugmayr, Danelljan, Timofte, "NTIRE 2021 learning the super-resolution space challenge", CVPR
workshops 2021, with this project's resize: details may be invented, LR may not.
"""

from srmodels.errors import ProtocolError
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.psnr import psnr_rgb
from srmodels.resize.images import downscale

__all__ = ["lr_consistency"]


def lr_consistency(sr: Picture, lr: Picture, *, scale: int) -> float:
    """PSNR between SR, reduced by the protocol's resize and rounded, and LR: RGB, no border.

    Args:
        sr: uint8 (scale h, scale w, 3).
        lr: uint8 (h, w, 3), what SR was made from.
        scale: How many times larger SR is.

    Returns:
        dB; `psnr.CEILING` where every pixel is LR's, which rounding lets few pictures reach. HR
        itself has the ceiling, as LR is made of it.

    Raises:
        ProtocolError: SR is not `scale` times as large as LR.
    """
    (height, width), (lr_height, lr_width) = sr.shape[:2], lr.shape[:2]
    if (height, width) != (scale * lr_height, scale * lr_width):
        raise ProtocolError(
            f"SR is not {scale} times LR (found {width} x {height} and {lr_width} x {lr_height} "
            "pixels); use weights of that scale"
        )
    return psnr_rgb(downscale(sr, scale), lr, border=0)
