"""The section `patches` of params.yaml: how photographs become patches."""

from dataclasses import dataclass
from typing import Literal

from srmodels.config import check_least
from srmodels.data.store.files import Layout
from srmodels.images.colour_spaces import Hdr


@dataclass(frozen=True, kw_only=True)
class PatchSettings:
    """How photographs become patches."""

    patch_size: int = 64  # side of a patch in LR pixels; training takes random smaller crops
    stride: int = 64  # LR pixels from one patch to the next; less than `patch_size` overlaps
    # training photographs are cut again with sides reduced to these shares (Dong et al. 2016,
    # arXiv:1608.00367, section 4.1), if a patch still fits
    also_reduced_to: tuple[float, ...] = ()
    shards: int = 16  # number of files for the training photographs, chosen by their names
    # "processes" on this machine, or the workers of a "dask" cluster
    executor: Literal["processes", "dask"] = "processes"
    scheduler: str = ""  # the address of dask's scheduler, such as tcp://host:8786
    workers: int = 0  # processes on this machine; 0: one per available core
    max_skipped: float = 0.1  # the stage fails if a larger share of the photographs cannot be used
    max_pixels: int = 250_000_000  # larger photographs are skipped before decoding
    min_side: int = 32  # photographs with a shorter side, in HR pixels, are skipped
    # A photograph that takes longer is skipped; 0: no limit. The wait for a slow disk counts.
    seconds_per_photo: float = 60.0
    # patches whose LR green channel has a smaller standard deviation (of 255) are dropped as flat
    min_deviation: float = 0.0
    # keeps only the sharpest patches of a photograph, and of each reduction of it; 0: all
    max_per_photo: int = 0
    half_size: bool = False  # Camera RAW at half its size, several times as fast
    # "refuse" skips photographs of a high dynamic range (PQ, HLG); "tonemap" converts them to sRGB
    # by ITU-R BT.2446, method A
    hdr: Hdr = "refuse"
    # "raw" patches are fast to read, lossless "webp" patches take half of the disk
    store: Layout = "raw"

    def __post_init__(self) -> None:
        check_least(self, 8, "patch_size")
        check_least(self, 1, "stride", "shards", "max_pixels", "min_side")
        check_least(self, 0, "workers", "min_deviation", "max_per_photo", "seconds_per_photo")
        if self.stride > self.patch_size:
            raise ValueError("stride must be at most patch_size, or pixels are left out")
        if self.shards > 1000:
            raise ValueError("shards must be at most 1000")
        if not all(0 < share < 1 for share in self.also_reduced_to):
            raise ValueError("also_reduced_to must hold shares between 0 and 1, as [0.75]")
        if not 0 <= self.max_skipped <= 1:
            raise ValueError("max_skipped must be a share from 0 to 1")
        if (self.executor == "dask") != bool(self.scheduler):
            raise ValueError(
                "scheduler must be an address where executor is dask, and '' elsewhere"
            )
