"""Settings of the evaluation."""

from dataclasses import dataclass, field
from typing import Literal

from srmodels.config import check_least

RESERVED = ("test", "protocol", "versions", "perceptual", "parameters")  # keys of the metrics file


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    """What is scored besides the bundled test pictures and the two generators."""

    # further test sets: a name for the metrics to Set5, Set14, BSD100, Urban100, DIV2K-val or the
    # absolute path of a folder of HR pictures
    sets: dict[str, str] = field(default_factory=dict)
    tile: int = 256  # side of the tiles a large picture is enlarged in, in LR pixels
    samples: int = 5  # how many samples of a VAE are drawn per picture, 2 or more; 0 draws none
    temperature: float = 1.0  # multiplies the standard deviations of the samples' latents
    # shares of the final generator's weights, between 0 and 1, in mixtures with the pretrained ones
    # that are scored as well (Wang et al., "ESRGAN", 2018, section 3.4), where the GAN phase began
    # with the pretrained weights
    strengths: tuple[float, ...] = ()
    # whether LPIPS and DISTS are scores, which need weights from `srmodels download perceptual`;
    # "lpips": LPIPS of AlexNet alone, the fastest
    perceptual: bool | Literal["lpips"] = True
    # whether NIQE is a score; its parameters need `srmodels download perceptual`, too
    niqe: bool = False
    # test sets, "test" or names in `sets`, that are scored a second time as NAME_degraded, with LR
    # as a camera and the net would make it: Real-ESRGAN's second-order degradation, always the same
    degraded: tuple[str, ...] = ()
    # whether the mean over eight flips and turns of LR is scored as well (Timofte et al., CVPR
    # 2016), for the final generator
    self_ensemble: bool = False

    def __post_init__(self) -> None:
        for name in self.sets:
            if not name.isidentifier() or name in RESERVED:
                raise ValueError(
                    f"sets must be named by letters, digits and _ (got {name!r}), "
                    f"and not {', '.join(RESERVED[:-1])} or {RESERVED[-1]}"
                )
        for name in self.degraded:
            if name != RESERVED[0] and name not in self.sets:
                raise ValueError(f"degraded must be test or names in sets (got {name!r})")
        if self.niqe and not self.perceptual:
            raise ValueError("niqe needs perceptual: true")
        check_least(self, 32, "tile")
        if self.samples < 0 or self.samples == 1:
            raise ValueError("samples must be 2 or more, or 0 for none")
        if not 0 <= self.temperature <= 10:
            raise ValueError("temperature must lie in 0..10")
        if not all(0 < strength < 1 for strength in self.strengths):
            raise ValueError("strengths must lie between 0 and 1")
        if list(self.strengths) != sorted(set(self.strengths)):
            raise ValueError("strengths must rise")
