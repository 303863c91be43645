"""Trunk and tail: strips equal the whole, little memory makes them smaller, fp32 mends half."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from srmodels.errors import ConfigError, SrmodelsError, WeightsError
from srmodels.inference.tiling import streamed
from srmodels.inference.tiling.device import resolve_precision
from srmodels.inference.tiling.upscale import upscale, upscale_rows, upscaler
from srmodels.models._trunk_tail import TrunkTail
from srmodels.resize.tensors import to_image, to_tensor
from tests.inference.small import small

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[3]


class Blurred(TrunkTail):
    """A convolution, then every pixel twice; told to, it fails in its tail."""

    scale, padding, trunk_padding, tail_padding = 2, 1, 1, 0

    def __init__(self, limit=10**9, broken="never"):
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 3, padding=1)
        nn.init.constant_(self.layer.weight, 1 / 27)
        nn.init.zeros_(self.layer.bias)
        self.limit, self.broken, self.calls = limit, broken, 0

    def features_of(self, lr):
        return self.layer(lr)

    def sr_of(self, features, lr):
        self.calls += 1
        if features.shape[2] * features.shape[3] > self.limit:
            raise torch.OutOfMemoryError("full")
        sr = features.float().repeat_interleave(2, 2).repeat_interleave(2, 3)
        half = torch.is_autocast_enabled(sr.device.type)
        if self.broken == "always" or (self.broken == "half" and half):
            return sr * torch.nan
        return sr * 0 if self.broken == "black" and half else sr


@torch.inference_mode()
def whole(network, image):
    return to_image(network(to_tensor(image)))


def away(one, other):
    return np.abs(one.astype(int) - other).max()


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("cyclegan_up", {}),
        ("edsr", {}),
        ("rrdbnet", {}),
        ("rrdbnet", {"upsampler": "pixelshuffle"}),
        ("srresnet", {}),
    ],
)
@pytest.mark.parametrize("strips", [False, True])
def test_the_streamed_picture_is_the_networks(photo, name, more, strips, device, monkeypatch):
    network, lr = small(name, **more), photo[:90, :77]
    expected = whole(network, lr)
    if strips:  # of 32 columns with what they need, in slabs of 40 rows
        monkeypatch.setattr(streamed, "_max_columns", lambda job: 32 + 2 * network.padding)
        monkeypatch.setattr(streamed, "_SLAB_BYTES", 40 * 16 * 3 * 77)
    assert away(upscaler(4, tile=32)(network.to(device), lr), expected) <= 1


def test_bands_come_one_by_one_and_are_the_picture(photo):
    network = small("srresnet")
    bands = upscale_rows(network, photo, scale=4, tile=32)
    first, *others = bands
    assert first.shape == (4 * 32, 4 * photo.shape[1], 3)
    np.testing.assert_array_equal(
        np.concatenate([first, *others]), upscaler(4, tile=32)(network, photo)
    )


def test_a_picture_may_be_a_mapped_file(photo, tmp_path):
    np.save(tmp_path / "lr.npy", photo)
    mapped, network = np.load(tmp_path / "lr.npy", mmap_mode="r"), small("edsr")
    np.testing.assert_array_equal(upscaler(4)(network, mapped), upscaler(4)(network, photo))


def test_out_of_memory_makes_strips_narrower_and_goes_on(photo, caplog):
    network = Blurred(limit=40 * 40)
    with caplog.at_level(logging.WARNING):
        made = upscaler(2)(network, photo)
    assert away(made, whole(Blurred(), photo)) <= 1
    half = photo.shape[1] // 2
    assert caplog.messages == [f"out of memory on cpu; going on with strips of {half}"]


def test_no_memory_for_the_narrowest_strip_is_one_sentence(photo):
    with pytest.raises(SrmodelsError, match=r"cpu: out of memory \(got strips of 32 LR pixels\)"):
        upscaler(2)(Blurred(limit=10), photo)


@pytest.mark.parametrize("broken", ["half", "black"])
def test_a_broken_tile_in_half_precision_is_computed_in_fp32(photo, caplog, broken, device):
    network = Blurred(broken=broken).to(device)
    with caplog.at_level(logging.WARNING):
        made = upscaler(2, tile=32, precision="bf16")(network, photo)
    np.testing.assert_array_equal(made, upscaler(2, tile=32)(Blurred().to(device), photo))
    assert caplog.messages == [
        "a tile in bf16 is black or not finite; it and the rest are computed in fp32"
    ]


def test_a_flat_tile_of_a_flat_picture_is_no_fault(caplog):
    with caplog.at_level(logging.WARNING):
        upscaler(2, precision="bf16")(Blurred(), np.full((40, 50, 3), 90, np.uint8))
    assert caplog.messages == []


def test_an_output_that_is_no_number_in_fp32_is_the_weights_fault(photo):
    with pytest.raises(WeightsError, match="Blurred: damaged weights"):
        upscaler(2)(Blurred(broken="always"), photo)


@pytest.mark.parametrize("name", ["srresnet", "srcnn"])
def test_16_bits_give_16_bits_of_the_same_picture(photo, name):
    network = small(name, **({"residual": "bicubic"} if name == "srresnet" else {}))
    fine = upscale(network, photo.astype(np.uint16) * 257, scale=4)
    assert fine.dtype == np.uint16
    assert away(upscale(network, photo, scale=4), fine / 257) < 1
    assert len(np.unique(fine % 257)) > 100  # more than 8 bits of it


def test_floats_are_not_clamped():
    lr = np.zeros((5, 6, 3), np.float32)
    network = Blurred()
    nn.init.constant_(network.layer.bias, 1.5)
    np.testing.assert_array_equal(upscale(network, lr, scale=2), np.full((10, 12, 3), 1.5))


def test_auto_computes_16_bits_in_fp32(photo):
    network, fine = small("edsr"), photo.astype(np.uint16) * 257
    exact = upscale(network, fine, scale=4, precision="fp32")
    np.testing.assert_array_equal(upscale(network, fine, scale=4, precision="auto"), exact)


def test_fp16_on_a_cpu_is_refused():
    assert resolve_precision(CPU, "auto") in ("bf16", "fp32")
    with pytest.raises(ConfigError, match=r"precision: .*\(got 'fp16'\)"):
        resolve_precision(CPU, "fp16")


PEAKS = """
import re
from pathlib import Path
import numpy as np
from srmodels.inference.tiling.upscale import upscale_rows
from tests.inference.small import small

network = small("srresnet")
for height in (400, 400, 2400):  # the first loads what all of them need
    lr = np.zeros((height, 300, 3), np.uint8)
    for band in upscale_rows(network, lr, scale=4):
        pass
    print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux")
def test_a_picture_six_times_as_high_takes_no_more_memory():
    at_once = {"MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed leaves at once, without holes
    done = subprocess.run(
        [sys.executable, "-c", PEAKS],
        **{"capture_output": True, "text": True, "cwd": ROOT, "env": os.environ | at_once},
        check=True,
    )
    _, low, high = (int(line) / 1024 for line in done.stdout.split())
    assert high - low < 8  # MiB, of which the picture's own are 2 and its whole SR 33
