"""SwinIR: Image Restoration Using Swin Transformer.

Liang et al. ICCV workshops 2021. https://arxiv.org/abs/2108.10257. The defaults are the paper's
classical SwinIR (M, 11.9 M parameters at x4); its lightweight version has channels 60, depths and
num_heads (6, 6, 6, 6), upsampler direct. Parameters have the names of the public code, so weights
can be exchanged. Differences from it:

- No stochastic depth, so a training step depends on the batch and the parameters only.
- Attention masks are computed per picture. Masks of 64 x 64 pixels are saved for the public code.
- Pictures smaller than a window are mirrored, too, to a multiple of the window.
- PixelShuffle layers start with ICNR, and the last layers of the long skip and of the network at a
  tenth of PyTorch's default, so training starts near grey (or bicubic).
- `residual: bicubic` adds the bicubic enlargement, which attention learns slowly.
- The paper's network for real photographs (nearest + convolution) is left out.
"""

from collections import OrderedDict
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._cpu_layers import PixelShuffle
from srmodels.models._layers import RGB_MEAN, check_settings, conv, icnr_, stage_factors, tail_reach
from srmodels.models._windows import (
    from_windows,
    mirror_to_multiple,
    relative_positions,
    seam_mask,
    to_windows,
)
from srmodels.resize.tensors import enlarge

ROLE = "generator"
_UPSAMPLER_CHANNELS = 64
_SAVED_SIDE = 64  # of the picture whose masks are saved
_GAIN = 0.1  # of the last layers of the body and of the network at the start


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Classical SwinIR (section 4.1)."""

    scale: int = 4
    channels: int = 180  # a multiple of each of num_heads
    depths: tuple[int, ...] = (6, 6, 6, 6, 6, 6)  # transformer layers per residual group
    num_heads: tuple[int, ...] = (6, 6, 6, 6, 6, 6)  # per residual group
    window_size: int = 8  # LR pixels, even
    mlp_ratio: float = 2.0  # hidden width of the MLPs over channels
    upsampler: Literal["pixelshuffle", "direct"] = "pixelshuffle"  # classical or lightweight
    residual: Literal["none", "bicubic"] = "none"  # as in the paper, or added to bicubic

    def __post_init__(self) -> None:
        check_settings(self, "channels", "mlp_ratio")
        if not self.depths or min(self.depths) < 1:
            raise ValueError("depths must name at least one group of at least one layer")
        if len(self.num_heads) != len(self.depths):
            raise ValueError("num_heads must have one number for each of depths")
        if min(self.num_heads) < 1 or any(self.channels % heads for heads in self.num_heads):
            raise ValueError("num_heads must divide channels")
        if self.window_size not in range(2, _SAVED_SIDE + 1, 2):
            raise ValueError(f"window_size must be even and at most {_SAVED_SIDE}")


class _Attention(nn.Module):
    """Attention inside windows with a learned bias for relative positions (eqs. 4 and 5)."""

    relative_position_index: Tensor

    def __init__(self, channels: int, num_heads: int, window_size: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        table = torch.zeros((2 * window_size - 1) ** 2, num_heads)
        self.relative_position_bias_table = nn.Parameter(table)
        # saved, although constant: other code reads the window size from its shape
        self.register_buffer("relative_position_index", relative_positions(window_size))
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        """Windows (N, M, L, C) and their mask (M, L, L) or None to (N, M, L, C)."""
        n, count, length, channels = windows.shape
        heads = self.num_heads
        qkv = self.qkv(windows).reshape(n, count, length, 3, heads, channels // heads)
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        bias = bias[None] if mask is None else bias[None] + mask[:, None]
        # windows and heads share an axis: the kernels take four axes and one bias per batch
        bias = bias.expand(count, -1, -1, -1).reshape(1, count * heads, length, length)
        queries, keys, values = (
            part.reshape(n, count * heads, length, -1) for part in qkv.permute(3, 0, 1, 4, 2, 5)
        )
        attended = F.scaled_dot_product_attention(
            queries, keys, values, attn_mask=bias.to(queries.dtype)
        )
        attended = attended.reshape(n, count, heads, length, -1).transpose(2, 3)
        projected: Tensor = self.proj(attended.reshape(n, count, length, channels))
        return projected


class _Layer(nn.Module):
    """A Swin Transformer layer (figure 2(b), eq. 6); every second one has shifted windows."""

    def __init__(self, settings: Settings, num_heads: int, shift: int) -> None:
        super().__init__()
        self.window_size, self.shift = settings.window_size, shift
        self.norm1 = nn.LayerNorm(settings.channels)
        self.attn = _Attention(settings.channels, num_heads, settings.window_size)
        self.norm2 = nn.LayerNorm(settings.channels)
        hidden = int(settings.channels * settings.mlp_ratio)
        fc1, fc2 = nn.Linear(settings.channels, hidden), nn.Linear(hidden, settings.channels)
        self.mlp = nn.Sequential(OrderedDict(fc1=fc1, gelu=nn.GELU(), fc2=fc2))
        if shift:
            side = _SAVED_SIDE // self.window_size * self.window_size
            mask = seam_mask(side, side, self.window_size, torch.ones(1))
            self.register_buffer("attn_mask", mask)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """(N, H, W, C) and the mask of shifted windows to (N, H, W, C)."""
        height, width = features.shape[1:3]
        normed = self.norm1(features)
        if self.shift:
            normed = normed.roll((-self.shift, -self.shift), (1, 2))
        windows = to_windows(normed, self.window_size)
        windows = self.attn(windows, mask if self.shift else None)
        attended = from_windows(windows, self.window_size, height, width)
        if self.shift:
            attended = attended.roll((self.shift, self.shift), (1, 2))
        features = features + attended
        change: Tensor = self.mlp(self.norm2(features))
        return features + change


class _Group(nn.Module):
    """A residual Swin Transformer block (figure 2(a), eq. 3): layers, then a convolution."""

    def __init__(self, settings: Settings, depth: int, num_heads: int) -> None:
        super().__init__()
        shifts = (settings.window_size // 2 * (index % 2) for index in range(depth))
        blocks = nn.ModuleList(_Layer(settings, num_heads, shift) for shift in shifts)
        self.residual_group = nn.ModuleDict({"blocks": blocks})  # the public names
        self.conv = conv(settings.channels, settings.channels)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """(N, H, W, C) and the mask of shifted windows to (N, H, W, C)."""
        change = features
        for layer in self.residual_group["blocks"].children():
            change = layer(change, mask)
        convolved: Tensor = self.conv(change.permute(0, 3, 1, 2))
        return features + convolved.permute(0, 2, 3, 1)


def _shuffles(channels_in: int, factors: tuple[int, ...], channels_out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for factor in factors:
        layer = conv(channels_in, channels_out * factor**2)
        icnr_(layer, factor)
        layers += [layer, PixelShuffle(factor)]
    return nn.Sequential(*layers)


class SwinIR(nn.Module):
    """Figure 2: a convolution, residual groups inside a long skip, PixelShuffle tail."""

    mean: Tensor
    channels_last = False  # attention's features are (N, H, W, C) already

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels, self.scale = settings.channels, settings.scale
        self.window_size = self.multiple = settings.window_size
        self.padding = _receptive_field(settings)
        self.add_bicubic = settings.residual == "bicubic"
        self.conv_first = conv(3, channels)
        self.patch_embed = nn.ModuleDict({"norm": nn.LayerNorm(channels)})  # patches are pixels
        self.layers = nn.ModuleList(
            _Group(settings, depth, heads)
            for depth, heads in zip(settings.depths, settings.num_heads, strict=True)
        )
        self.norm = nn.LayerNorm(channels)
        self.conv_after_body = conv(channels, channels)
        self.direct = settings.upsampler == "direct"
        if self.direct:
            self.upsample = _shuffles(channels, (settings.scale,), 3)
            last = self.upsample[0]
        else:
            inner = _UPSAMPLER_CHANNELS
            self.conv_before_upsample = nn.Sequential(conv(channels, inner), nn.LeakyReLU())
            self.upsample = _shuffles(inner, stage_factors(settings.scale), inner)
            self.conv_last = last = conv(inner, 3)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        with torch.no_grad():
            for parameter in (*self.conv_after_body.parameters(), *last.parameters()):
                parameter.mul_(_GAIN)
        mean = torch.tensor(RGB_MEAN).view(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)
        self.register_load_state_dict_pre_hook(_keep_masks)  # type: ignore[no-untyped-call]  # torch's is untyped

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped."""
        height, width = (side * self.scale for side in lr.shape[-2:])
        first = self.conv_first(mirror_to_multiple(lr, self.window_size) - self.mean)
        mask = seam_mask(first.shape[-2], first.shape[-1], self.window_size, first)
        tokens = self.patch_embed["norm"](first.permute(0, 2, 3, 1))
        for group in self.layers:
            tokens = group(tokens, mask)
        features = first + self.conv_after_body(self.norm(tokens).permute(0, 3, 1, 2))
        if self.direct:
            picture = self.upsample(features)
        else:
            picture = self.conv_last(self.upsample(self.conv_before_upsample(features)))
        sr: Tensor = picture[..., :height, :width].to(lr.dtype)
        return sr + (enlarge(lr, self.scale) if self.add_bicubic else self.mean)


def _receptive_field(settings: Settings) -> int:
    """LR pixels on each side that an SR pixel reads, the most in a window."""
    size = settings.window_size
    tail = 1 if settings.upsampler == "direct" else tail_reach(settings.scale, 1) + 1
    farthest = 0
    for pixel in range(size):
        first = pixel - tail - 1  # conv_after_body
        for depth in reversed(settings.depths):
            first -= 1
            for index in reversed(range(depth)):
                shift = size // 2 * (index % 2)
                first = (first - shift) // size * size + shift
        farthest = max(farthest, pixel - first + 1)  # conv_first
    return farthest


def _keep_masks(
    network: nn.Module, state: MutableMapping[str, Any], prefix: str, *_: object
) -> None:
    """A hook before loading: ignores the file's masks, which may have another size or be absent."""
    for name, buffer in network.named_buffers():
        if name.endswith(".attn_mask"):
            state[prefix + name] = buffer
