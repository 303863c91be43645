"""The section `data` of params.yaml: which photographs, and where their LR comes from."""

from dataclasses import dataclass
from typing import Literal

BICUBIC, OFFICIAL = "bicubic", "official"  # words of `lr`; files of data/, as DVC needs


@dataclass(frozen=True, kw_only=True)
class PhotosSettings:
    """Which photographs."""

    # `auto` for the preset's own choice, a set's name, `mix`, or an absolute folder
    photos: str = "auto"
    validation: float = 0.05  # share of a folder's photographs for validation during training
    # share of a folder's photographs for the scores; 0: the bundled test photographs of the preset
    # `quickstart` instead
    test: float = 0.05
    # `group` keeps near duplicates in one split; `ignore` does not look for them
    near_duplicates: Literal["group", "ignore"] = "group"
    # `bicubic` makes LR of HR, `official` takes what came with a set; or the absolute path of a
    # folder of one's own LR pictures, named as HR's
    lr: str = BICUBIC
    # share of a batch whose LR is from that folder; the others' is made of HR
    # (training.degradation)
    lr_share: float = 1.0
    # photographs not to use, by their names in photos.csv or a shell's patterns; each must fit at
    # least one
    leave_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.photos.strip():
            raise ValueError("photos must be auto, a set's name or the absolute path of a folder")
        for name in ("validation", "test"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be a share, 0 or more and less than 1")
        if self.validation + self.test >= 1:
            raise ValueError("validation must leave something to train on, together with test")
        if self.lr != BICUBIC and (self.photos == "auto" or not self.lr.strip()):
            raise ValueError(
                "lr must be bicubic where photos is auto; else also official or a folder"
            )
        if not 0 <= self.lr_share <= 1:
            raise ValueError("lr_share must be a share from 0 to 1")
        if self.lr_share != 1 and not self.own_lr:
            raise ValueError("lr_share must be 1 unless lr is a folder")

    @property
    def own_lr(self) -> bool:
        """Whether LR is in a folder of the user's own."""
        return self.lr not in (BICUBIC, OFFICIAL)
