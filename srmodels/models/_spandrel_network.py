"""A network that runs in spandrel's code, with our attributes.

spandrel does not say how much padding a network needs, nor where tiles may begin, so both are
measured: once per file, and only if a picture is cut into tiles.
"""

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.atomic import write_bytes
from srmodels.cache import cache_folder
from srmodels.errors import WeightsError
from srmodels.machine import is_out_of_memory, repository
from srmodels.pretrained.weights import tensors_digest

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor, SizeRequirements

log = logging.getLogger(__name__)

_FORMAT = 1  # of the file of measurements
_PADDINGS = (8, 16, 32, 48)  # LR pixels
_MARGIN = 80  # LR pixels around the tile in the picture that it is compared with
_MAX_MULTIPLE = 64  # LR pixels
_TILE = 8  # LR pixels of the tile that is compared
_TOLERANCE = 0.5 / 255
_BF16_TOLERANCE = 0.25 / 255  # mean difference from fp32
_BF16_SIDE = 64  # LR pixels of the picture for it


@dataclass(frozen=True)
class _Tiles:
    """LR pixels of padding, what tiles begin at multiples of, and by how much SR differs."""

    padding: int
    multiple: int
    difference: float  # in [0, 1], of neighbouring tiles at most


class SpandrelNetwork(nn.Module):
    """A network that spandrel recognised, with `scale`, `padding` and `multiple` as ours have.

    A grey one enlarges each channel of RGB. Public weights load under their public names, too.
    """

    # transformers reshape without copying, which needs contiguous memory
    channels_last = False

    def __init__(self, descriptor: "ImageModelDescriptor[nn.Module]") -> None:
        super().__init__()
        self.inner = descriptor.model
        self.descriptor = descriptor
        self.scale = descriptor.scale
        self.grey = descriptor.input_channels == 1
        self.register_load_state_dict_pre_hook(_add_prefix)  # type: ignore[no-untyped-call]  # torch's is untyped
        self.eval()

    def _call(self, images: Tensor) -> Tensor:
        """(N, C, H, W) to SR; `self.descriptor(images)` would clamp SR and pass no gradients on."""
        height, width = images.shape[-2:]
        images = _pad(images, self.descriptor.size_requirements)
        sr: Tensor = self.descriptor._call_fn(self.inner, images)
        return sr[..., : height * self.scale, : width * self.scale].float()

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped.

        Raises:
            WeightsError: The network's code fails.
        """
        images = lr.flatten(0, 1)[:, None] if self.grey else lr
        try:
            images = images.contiguous().clone()  # some networks change their input
            sr = torch.cat([self._call(part) for part in _parts(images, whole=self.training)])
        except Exception as error:
            if is_out_of_memory(error):
                raise
            reason = (str(error).strip().splitlines() or [""])[0]
            raise WeightsError(
                f"{self.descriptor.architecture.name}: its code fails on {lr.shape[3]} x "
                f"{lr.shape[2]} pixels (got {type(error).__name__}: {reason}). Use other weights, "
                "or another --tile."
            ) from error
        return sr.reshape(*lr.shape[:2], *sr.shape[2:]) if self.grey else sr

    @cached_property
    def _tiles(self) -> _Tiles:
        """How to cut tiles, from the cache or measured."""
        state = {key: value.cpu() for key, value in self.inner.state_dict().items()}
        facts = f"{_FORMAT}-{version('spandrel')}-{tensors_digest(state)}"
        path = cache_folder(repository()) / "spandrel" / f"{facts}.json"
        try:
            tiles = _Tiles(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            log.info("%s: measuring what tiles need, once", self.descriptor.architecture.name)
            tiles = _measure_tiles(self)
            try:
                write_bytes(path, json.dumps(asdict(tiles)).encode())
            except OSError as error:
                log.warning("%s: cannot be written (%s), so it is measured again", path, error)
        if tiles.difference > _TOLERANCE:
            log.warning(
                "%s looks farther than %d pixels: neighbouring tiles differ by up to %.1f of 255. "
                "A --tile as large as the picture avoids that",
                self.descriptor.architecture.name,
                tiles.padding,
                255 * tiles.difference,
            )
        return tiles

    @property
    def padding(self) -> int:
        """LR pixels around a tile."""
        return self._tiles.padding

    @property
    def multiple(self) -> int:
        """What tiles begin at multiples of, in LR pixels."""
        return self._tiles.multiple

    @cached_property
    def takes_bf16(self) -> bool:
        """Whether bfloat16 changes SR by less than a quarter of a level of 255 on average."""
        device = self.descriptor.device
        lr = _test_image(_BF16_SIDE).to(device)
        with torch.inference_mode():
            exact = self(lr)
            with torch.autocast(device.type, torch.bfloat16):
                rounded = self(lr)
        return bool((rounded.float() - exact).abs().mean() <= _BF16_TOLERANCE)


def _add_prefix(_: nn.Module, state: dict[str, Tensor], prefix: str, *__: object) -> None:
    """Renames public weights, whose names have no "inner."; a hook of load_state_dict."""
    start = f"{prefix}inner."
    if not any(key.startswith(start) for key in state):
        public = [key for key in state if key.startswith(prefix)]
        state.update({start + key.removeprefix(prefix): state.pop(key) for key in public})


def _parts(images: Tensor, *, whole: bool) -> Sequence[Tensor]:
    """A batch, or its images one by one, as spandrel's networks are used."""
    return [images] if whole else torch.split(images, 1)


def _pad(images: Tensor, required: "SizeRequirements") -> Tensor:
    """Pads to the sizes that a network wants, at the bottom and the right, as spandrel does."""
    height, width = images.shape[-2:]
    right, bottom = required.get_padding(width, height)
    reflected = min(right, width - 1), min(bottom, height - 1)  # reflection has no more pixels
    if not right and not bottom:
        return images
    images = F.pad(images, (0, reflected[0], 0, reflected[1]), "reflect")
    return F.pad(images, (0, right - reflected[0], 0, bottom - reflected[1]), "replicate")


def _test_image(side: int) -> Tensor:
    """Edges, texture and smooth areas: (1, 3, side, side) in [0, 1], always the same."""
    place = torch.arange(side) / 3
    waves = torch.sin(place)[:, None] + torch.cos(0.7 * place)[None, :]
    noise = torch.rand(3, side, side, generator=torch.Generator().manual_seed(0))
    image = 0.5 + 0.15 * waves + 0.2 * (noise - 0.5)
    image[:, : side // 2, side // 2 :] += 0.2
    return image.clamp(0, 1)[None]


@torch.inference_mode()
def _measure_tiles(network: SpandrelNetwork) -> _Tiles:
    """The least multiple and padding with which a tile equals the whole picture.

    The whole picture reaches farther than the largest padding, so a difference that is left is
    of a network that looks farther, such as one with an average over all pixels.
    """
    descriptor = network.descriptor
    window = getattr(descriptor.model, "window_size", 1)
    window = window if isinstance(window, int) and window > 0 else 1
    least = math.lcm(descriptor.size_requirements.multiple_of, window)
    multiples = [least * 2**power for power in range(8) if least * 2**power <= _MAX_MULTIPLE]
    lr, scale = _test_image(2 * _MARGIN + _TILE).to(descriptor.device), network.scale
    expected = network(lr)

    def difference(multiple: int, padding: int) -> float:
        """Of a tile whose padded start is an odd multiple, so that twice it does not divide it."""
        start = (_MARGIN - padding) // multiple * multiple
        start -= multiple * ((start // multiple + 1) % 2)
        start = start if start >= 0 else multiple
        first = start + padding
        end = first + _TILE + padding
        sr = network(lr[..., start:end, start:end])
        inside = slice(scale * first, scale * (first + _TILE))
        part = slice(scale * (first - start), scale * (first - start + _TILE))
        return float((sr[..., part, part] - expected[..., inside, inside]).abs().max())

    widest = _PADDINGS[-1]
    found = {}
    for multiple in multiples or [least]:
        found[multiple] = difference(multiple, widest)
        if found[multiple] <= _TOLERANCE:
            break
    multiple = min(found, key=found.__getitem__)
    if found[multiple] > _TOLERANCE:
        return _Tiles(widest, multiple, found[multiple])
    for padding in _PADDINGS:
        measured = difference(multiple, padding)
        if measured <= _TOLERANCE:
            return _Tiles(padding, multiple, measured)
    return _Tiles(widest, multiple, found[multiple])
