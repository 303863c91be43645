"""Networks that are published elsewhere under the same names: which of ours open there, and back.

RRDBNet is in the layout of Real-ESRGAN and SwinIR in that of its authors, which spandrel
(https://github.com/chaiNNer-org/spandrel) reads, and so chaiNNer and ComfyUI do. spandrel knows no
EDSR, SRResNet, SRCNN, CycleGAN or VAE.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from srmodels import models
from srmodels.errors import ConfigError
from srmodels.models._layers import SCALES
from srmodels.models.rrdbnet import Settings as RRDBNetSettings
from srmodels.models.swinir import Settings as SwinIRSettings
from srmodels.snapshot import Snapshot

__all__ = ["check_public", "snapshot_of"]

_UPSAMPLERS = {"pixelshuffle": "pixelshuffle", "pixelshuffledirect": "direct"}  # SwinIR's: ours
_CLOSE = 1e-3  # of [0, 1]; a quarter of a level of 255
_PUBLIC_RRDBNET = {"upsampler": "nearest_conv", "growth_channels": 32, "residual_scale": 0.2}


def check_public(settings: object, *, name: str) -> None:
    """Refuses a network that has no public layout.

    Args:
        settings: The network's.
        name: The network's name.

    Raises:
        ConfigError: spandrel would not recognise it, or build another network of it.
    """
    found: dict[str, object] = {}
    if isinstance(settings, RRDBNetSettings):
        found = {key: getattr(settings, key) for key in _PUBLIC_RRDBNET}
        found = {key: each for key, each in found.items() if each != _PUBLIC_RRDBNET[key]}
        if settings.scale == 3:
            found["scale"] = 3
    elif not isinstance(settings, SwinIRSettings):
        raise ConfigError(
            f"pth: {name} has no layout that other programs read; "
            "rrdbnet and swinir have one, and onnx serves for every network"
        )
    if found:
        right = ", ".join(f"{key} {each}" for key, each in _PUBLIC_RRDBNET.items())
        raise ConfigError(
            f"pth: other programs would not rebuild this {name} "
            f"(found {', '.join(f'{key} {each}' for key, each in found.items())}); {right} "
            "and a scale of 2, 4 or 8 are right, and onnx serves for every network"
        )


def _rrdbnet(of: Mapping[str, Any]) -> RRDBNetSettings | None:
    colours = (of["in_nc"], of["out_nc"])
    if colours != (3, 3) or of["plus"] or of["shuffle_factor"] or of["scale"] not in SCALES:
        return None
    return RRDBNetSettings(
        scale=of["scale"], num_blocks=of["num_blocks"], channels=of["num_filters"]
    )


def _swinir(of: Mapping[str, Any]) -> SwinIRSettings | None:
    usual = {"in_chans": 3, "resi_connection": "1conv", "start_unshuffle": 1, "img_range": 1.0}
    if any(of[key] != value for key, value in usual.items()):
        return None
    if of["upsampler"] not in _UPSAMPLERS or of["upscale"] not in SCALES or of["window_size"] % 2:
        return None
    return SwinIRSettings(
        scale=of["upscale"],
        channels=of["embed_dim"],
        depths=tuple(of["depths"]),
        num_heads=tuple(of["num_heads"]),
        window_size=of["window_size"],
        mlp_ratio=of["mlp_ratio"],
        upsampler="direct" if of["upsampler"] == "pixelshuffledirect" else "pixelshuffle",
    )


def snapshot_of(theirs: nn.Module, state: Mapping[str, Tensor]) -> Snapshot | None:
    """The same network in our code, which knows its reach exactly; None where there is none.

    Args:
        theirs: As spandrel built it from the state, in eval mode, on the CPU.
        state: The weights under the names of the file.
    """
    found = {"RRDBNet": _rrdbnet, "SwinIR": _swinir}.get(type(theirs).__name__)
    hyperparameters = getattr(theirs, "hyperparameters", None)
    settings = found(hyperparameters) if found and hyperparameters else None
    if settings is None:
        return None
    name = "rrdbnet" if isinstance(settings, RRDBNetSettings) else "swinir"
    ours = models.build(name, settings).eval()
    try:
        ours.load_state_dict(dict(state))
    except RuntimeError:
        return None  # a relative with other layers
    lr = torch.rand(1, 3, 24, 20, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        if not torch.allclose(ours(lr), theirs(lr), rtol=0, atol=_CLOSE):
            return None
    return Snapshot(network=ours, name=name, settings=settings)
