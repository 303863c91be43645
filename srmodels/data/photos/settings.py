"""The section `data` of params.yaml: which photographs."""

from dataclasses import dataclass
from typing import Literal


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
    official_lr: bool = False  # takes the LR pictures that came with a set instead of reducing HR
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
