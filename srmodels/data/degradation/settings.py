"""Settings of the second-order degradation: Real-ESRGAN's (section 4.1 and its public options)."""

from dataclasses import dataclass, field
from typing import Literal

from srmodels.config import check_least

Kernel = Literal[
    "isotropic",
    "anisotropic",
    "generalised_isotropic",
    "generalised_anisotropic",
    "plateau_isotropic",
    "plateau_anisotropic",
]
Range = tuple[float, float]


def _kernels() -> dict[Kernel, float]:
    return {
        "isotropic": 0.45,
        "anisotropic": 0.25,
        "generalised_isotropic": 0.12,
        "generalised_anisotropic": 0.03,
        "plateau_isotropic": 0.12,
        "plateau_anisotropic": 0.03,
    }


def _check_share(section: object, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(section, name) <= 1:
            raise ValueError(f"{name} must be a share of the images, 0 to 1")


def _check_range(section: object, name: str, least: float, most: float) -> None:
    low, high = getattr(section, name)
    if not least <= low <= high <= most:
        raise ValueError(f"{name} must be two numbers from {least:g} to {most:g}, the lower first")


@dataclass(frozen=True, kw_only=True)
class DegradationStage:
    """One stage: blur, resize, noise, JPEG; the defaults are the first stage's."""

    blur: float = 1.0  # share of blurred images
    sinc: float = 0.1  # share of their kernels that are sinc filters, which ring
    # relative frequency of each kind of the other kernels
    kernels: dict[Kernel, float] = field(default_factory=_kernels)
    sigma: Range = (0.2, 3.0)  # range of a kernel's standard deviations, in pixels
    # Range of the generalised Gaussian's exponent; 1 is a Gaussian. Half of the kernels are drawn
    # below 1, half above.
    generalised_shape: Range = (0.5, 4.0)
    plateau_shape: Range = (1.0, 2.0)  # the same for the plateau-shaped kernel
    enlarged: float = 0.2  # share of resizes that enlarge
    shrunk: float = 0.7  # share of resizes that shrink; the rest keeps the size
    resize: Range = (0.15, 1.5)  # smallest and largest factor of a resize
    gaussian: float = 0.5  # share of images with Gaussian noise; the others have Poisson noise
    sigma_noise: Range = (1.0, 30.0)  # range of the standard deviation of Gaussian noise, in 1/255
    # range of the strength of Poisson noise; 1 is as many photons as levels
    poisson: Range = (0.05, 3.0)
    grey: float = 0.4  # share of images with the same noise in all colours
    jpeg: tuple[int, int] = (30, 95)  # range of the JPEG quality, ends included

    def __post_init__(self) -> None:
        _check_share(self, "blur", "sinc", "enlarged", "shrunk", "gaussian", "grey")
        if self.enlarged + self.shrunk > 1:
            raise ValueError("enlarged and shrunk must be 1 or less together")
        if not self.kernels or min(self.kernels.values()) < 0 or not any(self.kernels.values()):
            raise ValueError("kernels must be weights of 0 or more, and one of them above 0")
        _check_range(self, "sigma", 0.1, 10)
        _check_range(self, "resize", 0.05, 4)
        _check_range(self, "sigma_noise", 0, 255)
        _check_range(self, "poisson", 0, 100)
        _check_range(self, "jpeg", 1, 100)
        for name in ("generalised_shape", "plateau_shape", "resize"):
            if not 0 < getattr(self, name)[0] <= 1 <= getattr(self, name)[1]:
                raise ValueError(f"{name} must be a range above 0 that holds 1")


@dataclass(frozen=True, kw_only=True)
class SecondOrder(DegradationStage):
    """The second stage: milder defaults, sizes relative to LR's."""

    blur: float = 0.8
    sigma: Range = (0.2, 1.5)
    enlarged: float = 0.3
    shrunk: float = 0.4
    resize: Range = (0.3, 1.2)
    sigma_noise: Range = (1.0, 25.0)
    poisson: Range = (0.05, 2.5)


@dataclass(frozen=True, kw_only=True)
class DegradationSettings:
    """Both stages and the final filter."""

    first: DegradationStage = field(default_factory=DegradationStage)  # the stage applied to HR
    # the stage applied to the result of the first
    second: SecondOrder = field(default_factory=SecondOrder)
    final_sinc: float = 0.8  # share of images with a final sinc filter
    # Images of a batch that share the sizes and modes of their resizes and the order of the final
    # filter and JPEG. Fewer are more varied, more are faster on a GPU.
    images_per_resize: int = 4

    def __post_init__(self) -> None:
        _check_share(self, "final_sinc")
        check_least(self, 1, "images_per_resize")
