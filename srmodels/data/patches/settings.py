"""The section `patches` of params.yaml: how photographs become patches."""

from dataclasses import dataclass
from typing import Literal

from srmodels.data.store.files import Layout
from srmodels.images.colour_spaces import Hdr

__all__ = ["PatchSettings"]


@dataclass(frozen=True, kw_only=True)
class PatchSettings:
    """How photographs become patches.

    Attributes:
        patch_size: Side of a patch in LR pixels; training takes random smaller crops.
        stride: LR pixels from one patch to the next; less than `patch_size` overlaps.
        also_reduced_to: Training photographs are cut again with sides reduced to these shares
            (Dong et al. 2016, arXiv:1608.00367, section 4.1), if a patch still fits.
        shards: Number of files for the training photographs, chosen by their names.
        executor: "processes" on this machine, or the workers of a "dask" cluster.
        scheduler: The address of dask's scheduler, such as tcp://host:8786.
        workers: Processes on this machine; 0: one per available core.
        max_skipped: The stage fails if a larger share of the photographs cannot be used.
        max_pixels: Larger photographs are skipped before decoding.
        min_side: Photographs with a shorter side, in HR pixels, are skipped.
        seconds_per_photo: A photograph that takes longer is skipped; 0: no limit. The wait for a
            slow disk counts.
        min_deviation: Patches whose LR green channel has a smaller standard deviation (of 255) are
            dropped as flat.
        max_per_photo: Keeps only the sharpest patches of a photograph, and of each reduction of
            it; 0: all.
        half_size: Camera RAW at half its size, several times as fast.
        hdr: "refuse" skips photographs of a high dynamic range (PQ, HLG); "tonemap" converts them
            to sRGB by ITU-R BT.2446, method A.
        store: "raw" patches are fast to read, lossless "webp" patches take half of the disk.
    """

    patch_size: int = 64
    stride: int = 64
    also_reduced_to: tuple[float, ...] = ()
    shards: int = 16
    executor: Literal["processes", "dask"] = "processes"
    scheduler: str = ""
    workers: int = 0
    max_skipped: float = 0.1
    max_pixels: int = 250_000_000
    min_side: int = 32
    seconds_per_photo: float = 60.0
    min_deviation: float = 0.0
    max_per_photo: int = 0
    half_size: bool = False
    hdr: Hdr = "refuse"
    store: Layout = "raw"

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: A value is out of its range.
        """
        if self.patch_size < 8:
            raise ValueError("patch_size must be 8 LR pixels or more")
        for name in ("stride", "shards", "max_pixels", "min_side"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more")
        for name in ("workers", "min_deviation", "max_per_photo", "seconds_per_photo"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more")
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
