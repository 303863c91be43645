"""Settings of the evaluation."""

from dataclasses import dataclass, field

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
    # share of the final generator's weights, 0 to 1, in a mixture with the pretrained ones that is
    # scored as well (Wang et al., "ESRGAN", 2018, section 3.4); None mixes nothing
    alpha: float | None = None
    # whether LPIPS and DISTS are scores; they need weights from `srmodels download perceptual`
    perceptual: bool = True
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
        check_least(self, 32, "tile")
        if self.samples < 0 or self.samples == 1:
            raise ValueError("samples must be 2 or more, or 0 for none")
        if not 0 <= self.temperature <= 10:
            raise ValueError("temperature must lie in 0..10")
        if self.alpha is not None and not 0 <= self.alpha <= 1:
            raise ValueError("alpha must lie in 0..1")
