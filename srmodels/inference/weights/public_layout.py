"""RRDBNet, SwinIR, SRVGG and SPAN in their authors' weight layouts, to and from our code.

spandrel (https://github.com/chaiNNer-org/spandrel), and so chaiNNer and ComfyUI, reads both
layouts. It knows no EDSR, SRResNet, SRCNN, CycleGAN or VAE. SPAN is only read.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from srmodels import models
from srmodels.errors import ConfigError
from srmodels.models._layers import SCALES
from srmodels.models.rrdbnet import Settings as RRDBNetSettings
from srmodels.models.span import Settings as SPANSettings
from srmodels.models.srvgg import Settings as SRVGGSettings
from srmodels.models.swinir import Settings as SwinIRSettings
from srmodels.snapshot import Snapshot

__all__ = ["check_public", "convert_to_snapshot"]

_UPSAMPLERS = {"pixelshuffle": "pixelshuffle", "pixelshuffledirect": "direct"}  # SwinIR's: ours
_TOLERANCE = 1e-3  # of [0, 1]; a quarter of a level of 255
_PUBLIC_RRDBNET = {"upsampler": "nearest_conv", "growth_channels": 32, "residual_scale": 0.2}


def check_public(settings: object, *, name: str) -> None:
    """Raises ConfigError if spandrel would not rebuild a network from its weights."""
    other: dict[str, object] = {}
    if isinstance(settings, RRDBNetSettings):
        own = {key: getattr(settings, key) for key in _PUBLIC_RRDBNET}
        other = {key: value for key, value in own.items() if value != _PUBLIC_RRDBNET[key]}
        if settings.scale == 3:
            other["scale"] = 3
    elif not isinstance(settings, SwinIRSettings | SRVGGSettings):
        raise ConfigError(
            f"pth: {name} has no layout that other programs read. "
            "Use rrdbnet, swinir or srvgg, or export onnx, which every network has."
        )
    if other:
        public = ", ".join(f"{key} {value}" for key, value in _PUBLIC_RRDBNET.items())
        raise ConfigError(
            f"pth: other programs would not rebuild this {name} "
            f"(got {', '.join(f'{key} {value}' for key, value in other.items())}). Use {public} "
            "and a scale of 2, 4 or 8, or export onnx, which every network has."
        )


def _rrdbnet_settings(public: Mapping[str, Any]) -> RRDBNetSettings | None:
    channels = (public["in_nc"], public["out_nc"])
    variant = public["plus"] or public["shuffle_factor"]
    if channels != (3, 3) or variant or public["scale"] not in SCALES:
        return None
    return RRDBNetSettings(
        scale=public["scale"], num_blocks=public["num_blocks"], channels=public["num_filters"]
    )


def _swinir_settings(public: Mapping[str, Any]) -> SwinIRSettings | None:
    fixed = {"in_chans": 3, "resi_connection": "1conv", "start_unshuffle": 1, "img_range": 1.0}
    if any(public[key] != value for key, value in fixed.items()):
        return None
    odd_window = public["window_size"] % 2
    if public["upsampler"] not in _UPSAMPLERS or public["upscale"] not in SCALES or odd_window:
        return None
    return SwinIRSettings(
        scale=public["upscale"],
        channels=public["embed_dim"],
        depths=tuple(public["depths"]),
        num_heads=tuple(public["num_heads"]),
        window_size=public["window_size"],
        mlp_ratio=public["mlp_ratio"],
        upsampler="direct" if public["upsampler"] == "pixelshuffledirect" else "pixelshuffle",
    )


def _srvgg_settings(public: Mapping[str, Any]) -> SRVGGSettings | None:
    channels = (public["num_in_ch"], public["num_out_ch"])
    if channels != (3, 3) or public["upscale"] not in SCALES or public["act_type"] != "prelu":
        return None
    return SRVGGSettings(
        scale=public["upscale"], num_blocks=public["num_conv"], channels=public["num_feat"]
    )


def _span_settings(public: Mapping[str, Any]) -> SPANSettings | None:
    channels = (public["num_in_ch"], public["num_out_ch"])
    if channels != (3, 3) or public["upscale"] not in SCALES:
        return None
    return SPANSettings(
        scale=public["upscale"], channels=public["feature_channels"], centred=public["norm"]
    )


# by the class in spandrel: the network here, and its settings from spandrel's hyper-parameters
_CONVERT: dict[str, tuple[str, Callable[[Mapping[str, Any]], object | None]]] = {
    "RRDBNet": ("rrdbnet", _rrdbnet_settings),
    "SwinIR": ("swinir", _swinir_settings),
    "SRVGGNetCompact": ("srvgg", _srvgg_settings),
    "SPAN": ("span", _span_settings),
}


def convert_to_snapshot(theirs: nn.Module) -> Snapshot | None:
    """The same network in our code, which knows its exact padding; None if there is none.

    `theirs` is in eval mode on the CPU.
    """
    name, convert = _CONVERT.get(type(theirs).__name__, ("", None))
    hyperparameters = getattr(theirs, "hyperparameters", None)
    settings = convert(hyperparameters) if convert and hyperparameters else None
    if settings is None:
        return None
    ours = models.build(name, settings).eval()
    try:
        ours.load_state_dict(theirs.state_dict())
    except RuntimeError:
        return None  # a variant with other layers
    lr = torch.rand(1, 3, 24, 20, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        if not torch.allclose(ours(lr), theirs(lr), rtol=0, atol=_TOLERANCE):
            return None
    return Snapshot(network=ours, name=name, settings=settings)
