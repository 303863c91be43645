"""LR consistency: PSNR between the reduced SR and LR.

Lugmayr, Danelljan, Timofte, "NTIRE 2021 learning the super-resolution space challenge", CVPR
workshops 2021, with this project's resize.
"""

from srmodels.errors import ProtocolError
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.metrics.psnr import psnr_rgb
from srmodels.resize.images import downscale


def lr_consistency(sr: Picture, lr: Picture, *, scale: int) -> float:
    """PSNR-RGB in dB, no border, of uint8 (scale h, scale w, 3), reduced, and (h, w, 3).

    `psnr.CEILING` where every pixel equals LR's, as for HR itself.
    """
    (height, width), (lr_height, lr_width) = sr.shape[:2], lr.shape[:2]
    if (height, width) != (scale * lr_height, scale * lr_width):
        raise ProtocolError(
            f"SR is not {scale} times LR (got {width} x {height} and {lr_width} x {lr_height} "
            "pixels). Use weights of that scale."
        )
    return psnr_rgb(downscale(sr, scale), lr, border=0)
