"""SwinIR: Image Restoration Using Swin Transformer.

Jingyun Liang, Jiezhang Cao, Guolei Sun, Kai Zhang, Luc Van Gool, Radu Timofte. ICCV workshops 2021.
https://arxiv.org/abs/2108.10257

The defaults are the paper's classical SwinIR (M, 11.9 M parameters at x4); its lightweight one is
channels 60, depths and num_heads (6, 6, 6, 6), upsampler direct. Parameters have the names of the
public code, so that its weights load and ours load elsewhere.

Where this differs from the public code:

- No stochastic depth in training: a step then depends on the batch and the parameters alone.
- The attention masks are computed for the picture at hand. Those for 64 x 64 pixels, which the
  public code saves with the weights, are saved here too, for its sake, and never read.
- A picture is mirrored to a multiple of the window also where it is smaller than a window.
- PixelShuffle layers begin with ICNR (see `_layers`), where the public code has PyTorch's default,
  and the ends of the long skip and of the network at a tenth of it, so that training begins near
  grey (or near bicubic).
- Adding the bicubic enlargement is an option. Attention learns it slowly where training is short.
- The paper's network for real photographs (nearest + convolution) is left out.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._layers import (
    RGB_MEAN,
    bicubic_reach,
    check_counts,
    check_scale,
    conv,
    icnr_,
    reach_below,
    stage_factors,
)
from srmodels.models._windows import (
    from_windows,
    mirror_to_multiple,
    relative_positions,
    seam_mask,
    to_windows,
)
from srmodels.resize.tensors import enlarge

__all__ = ["ROLE", "Settings", "SwinIR", "build"]

ROLE = "generator"
_UPSAMPLER_CHANNELS = 64
_SAVED_SIDE = 64  # of the picture whose masks are saved
_SMALL = 0.1  # what the last layers of the body and of the whole are multiplied by at first


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Classical SwinIR (section 4.1).

    Attributes:
        scale: How many times larger SR is.
        channels: Feature maps throughout; a multiple of every one of num_heads.
        depths: Transformer layers in each residual group.
        num_heads: Attention heads in each residual group.
        window_size: Side of the windows that attention stays inside, in LR pixels; even.
        mlp_ratio: Width of the layers' MLP over channels.
        upsampler: "pixelshuffle" (classical) or "direct" (lightweight: one convolution, one
            PixelShuffle).
        residual: "bicubic" adds the output to the bicubic enlargement; "none" is the paper's.
    """

    scale: int = 4
    channels: int = 180
    depths: tuple[int, ...] = (6, 6, 6, 6, 6, 6)
    num_heads: tuple[int, ...] = (6, 6, 6, 6, 6, 6)
    window_size: int = 8
    mlp_ratio: float = 2.0
    upsampler: Literal["pixelshuffle", "direct"] = "pixelshuffle"
    residual: Literal["none", "bicubic"] = "none"

    def __post_init__(self) -> None:
        check_scale(self.scale)
        check_counts(self, "channels", "mlp_ratio")
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
        # saved, although it never changes: other code tells the window size from it
        self.register_buffer("relative_position_index", relative_positions(window_size))
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        """Windows (N, M, L, C) and their mask (M, L, L) or None to (N, M, L, C)."""
        n, count, length, channels = windows.shape
        heads = self.num_heads
        split = self.qkv(windows).reshape(n, count, length, 3, heads, channels // heads)
        queries, keys, values = split.permute(3, 0, 1, 4, 2, 5)
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        bias = bias[None] if mask is None else bias[None] + mask[:, None]
        # windows and heads in one axis: the kernels take four axes, and the bias none of the batch
        bias = bias.expand(count, -1, -1, -1).reshape(1, count * heads, length, length)
        queries, keys, values = (
            each.reshape(n, count * heads, length, -1) for each in (queries, keys, values)
        )
        mixed = F.scaled_dot_product_attention(
            queries, keys, values, attn_mask=bias.to(queries.dtype)
        )
        mixed = mixed.reshape(n, count, heads, length, -1).transpose(2, 3)
        projected: Tensor = self.proj(mixed.reshape(n, count, length, channels))
        return projected


class _MLP(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, features: Tensor) -> Tensor:
        widened: Tensor = self.fc2(F.gelu(self.fc1(features)))
        return widened


class _Layer(nn.Module):
    """A Swin Transformer layer (figure 2(b), eq. 6); every second one has shifted windows."""

    def __init__(self, settings: Settings, num_heads: int, shift: int) -> None:
        super().__init__()
        self.window_size, self.shift = settings.window_size, shift
        self.norm1 = nn.LayerNorm(settings.channels)
        self.attn = _Attention(settings.channels, num_heads, settings.window_size)
        self.norm2 = nn.LayerNorm(settings.channels)
        self.mlp = _MLP(settings.channels, int(settings.channels * settings.mlp_ratio))
        if shift:
            side = _SAVED_SIDE // self.window_size * self.window_size
            self.register_buffer(
                "attn_mask", seam_mask(side, side, self.window_size, torch.ones(1))
            )

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """(N, H, W, C) and the mask of shifted windows to (N, H, W, C)."""
        height, width = features.shape[1:3]
        normed = self.norm1(features)
        if self.shift:
            normed = normed.roll((-self.shift, -self.shift), (1, 2))
        windows = to_windows(normed, self.window_size)
        windows = self.attn(windows, mask if self.shift else None)
        mixed = from_windows(windows, self.window_size, height, width)
        if self.shift:
            mixed = mixed.roll((self.shift, self.shift), (1, 2))
        features = features + mixed
        changed: Tensor = self.mlp(self.norm2(features))
        return features + changed


class _Blocks(nn.Module):
    """The layers of a group, under the public code's name."""

    def __init__(self, settings: Settings, depth: int, num_heads: int) -> None:
        super().__init__()
        half = settings.window_size // 2
        self.blocks = nn.ModuleList(
            _Layer(settings, num_heads, half * (index % 2)) for index in range(depth)
        )


class _Group(nn.Module):
    """A residual Swin Transformer block (figure 2(a), eq. 3): layers, then a convolution."""

    def __init__(self, settings: Settings, depth: int, num_heads: int) -> None:
        super().__init__()
        self.residual_group = _Blocks(settings, depth, num_heads)
        self.conv = conv(settings.channels, settings.channels)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """(N, H, W, C) and the mask of shifted windows to (N, H, W, C)."""
        changed = features
        for layer in self.residual_group.blocks:
            changed = layer(changed, mask)
        convolved: Tensor = self.conv(changed.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return features + convolved


class _PatchEmbed(nn.Module):
    """The first LayerNorm, under the public code's name; a patch is one pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)


class SwinIR(nn.Module):
    """Figure 2: a convolution, residual groups inside a long skip, PixelShuffle tail."""

    mean: Tensor
    channels_last = False  # attention's features are (N, H, W, C) already

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels, self.scale = settings.channels, settings.scale
        self.window_size = self.multiple = settings.window_size
        self.padding = max(_reach(settings), bicubic_reach(0, settings.scale))
        self.add_bicubic = settings.residual == "bicubic"
        self.conv_first = conv(3, channels)
        self.patch_embed = _PatchEmbed(channels)
        self.layers = nn.ModuleList(
            _Group(settings, depth, heads)
            for depth, heads in zip(settings.depths, settings.num_heads, strict=True)
        )
        self.norm = nn.LayerNorm(channels)
        self.conv_after_body = conv(channels, channels)
        self.direct = settings.upsampler == "direct"
        if self.direct:
            self.upsample = _shuffles(channels, (settings.scale,), 3)
            picture = self.upsample[0]
        else:
            inner = _UPSAMPLER_CHANNELS
            self.conv_before_upsample = nn.Sequential(conv(channels, inner), nn.LeakyReLU())
            self.upsample = _shuffles(inner, stage_factors(settings.scale), inner)
            self.conv_last = picture = conv(inner, 3)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        with torch.no_grad():
            for each in (*self.conv_after_body.parameters(), *picture.parameters()):
                each.mul_(_SMALL)
        self.register_buffer("mean", torch.tensor(RGB_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_load_state_dict_pre_hook(_keep_masks)  # type: ignore[no-untyped-call]  # torch's is untyped

    def _body(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to the same, H and W multiples of the window."""
        height, width = features.shape[-2:]
        mask = seam_mask(height, width, self.window_size, features)
        tokens = self.patch_embed.norm(features.permute(0, 2, 3, 1))
        for group in self.layers:
            tokens = group(tokens, mask)
        last: Tensor = self.conv_after_body(self.norm(tokens).permute(0, 3, 1, 2))
        return last

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped."""
        height, width = lr.shape[-2:]
        first = self.conv_first(mirror_to_multiple(lr, self.window_size) - self.mean)
        features = first + self._body(first)
        if self.direct:
            picture = self.upsample(features)
        else:
            picture = self.conv_last(self.upsample(self.conv_before_upsample(features)))
        cut: Tensor = picture[..., : height * self.scale, : width * self.scale]
        return cut.to(lr.dtype) + (enlarge(lr, self.scale) if self.add_bicubic else self.mean)


def _shuffles(channels: int, factors: tuple[int, ...], last: int) -> nn.Sequential:
    """A convolution and a PixelShuffle for each factor, `last` channels after each."""
    layers: list[nn.Module] = []
    for factor in factors:
        layer = conv(channels, last * factor**2)
        icnr_(layer, factor)
        layers += [layer, nn.PixelShuffle(factor)]
    return nn.Sequential(*layers)


def _reach(settings: Settings) -> int:
    """LR pixels on either side of any one pixel that its SR pixels depend on.

    How far it is depends on where in its window the pixel lies; this is the farthest.
    """
    size = settings.window_size
    start = 1
    if settings.upsampler == "pixelshuffle":
        for factor in reversed(stage_factors(settings.scale)):
            start = reach_below(start, factor) + 1
        start += 1
    farthest = 0
    for pixel in range(size):
        first = pixel - start - 1  # conv_after_body
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
    """Replaces the masks to be loaded, which may be of another size or absent, by ours."""
    for name, buffer in network.named_buffers():
        if name.endswith(".attn_mask"):
            state[prefix + name] = buffer


def build(settings: Settings) -> nn.Module:
    """A freshly initialised SwinIR."""
    return SwinIR(settings)
