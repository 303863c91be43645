"""Tiles equal the whole picture, and memory that does not suffice makes them smaller."""

import logging

import numpy as np
import pytest
import torch
from torch import nn

from srmodels import models
from srmodels.errors import ConfigError, SrmodelsError
from srmodels.inference.tiling.job import TilingJob
from srmodels.inference.tiling.upscale import upscaler
from srmodels.machine import resolve_device
from srmodels.resize.tensors import enlarge_image
from tests.conftest import NO_GPU
from tests.inference.small import small


class Nearest(nn.Module):
    """Repeats every pixel `scale` times; runs out of memory above `limit` LR pixels."""

    padding = 3
    multiple = 1

    def __init__(self, scale=4, limit=10**9, message=None):
        super().__init__()
        self.scale, self.limit, self.message, self.sizes = scale, limit, message, []

    def forward(self, lr):
        self.sizes.append(tuple(lr.shape[2:]))
        if lr.shape[2] * lr.shape[3] > self.limit:
            raise (RuntimeError(self.message) if self.message else torch.OutOfMemoryError("full"))
        return lr.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)


def repeated(lr, scale=4):
    return lr.repeat(scale, axis=0).repeat(scale, axis=1)


@pytest.mark.parametrize("name", models.names("generator"))
def test_the_tiled_picture_is_the_whole_one_of_the_cpu(photo, name, device):
    network = small(name)
    whole = upscaler(4, tile=256)(network, photo[:90, :77])
    tiled = upscaler(4, tile=32)(network.to(device), photo[:90, :77])
    difference = np.abs(whole.astype(int) - tiled)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3  # rounding of ties, float noise


@pytest.mark.parametrize("scale", [2, 3, 8])
def test_the_tiled_picture_is_the_whole_one_at_every_scale(photo, scale):
    network = small("srresnet", scale=scale)
    whole, tiled = (upscaler(scale, tile=tile)(network, photo[:50, :70]) for tile in (256, 32))
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_too_little_padding_shows(photo):
    network = small("srcnn")
    whole = upscaler(4, tile=256)(network, photo)
    network.padding = 0
    cut = upscaler(4, tile=32)(network, photo)
    assert np.abs(whole.astype(int) - cut).max() > 1


def test_the_result_is_the_networks_clamped_and_rounded(photo):
    network = small("srresnet", residual="bicubic")
    for layer in network.tail:
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
    np.testing.assert_array_equal(upscaler(4)(network, photo), enlarge_image(photo, 4))


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (33, 31), (64, 65), (96, 128)])
@pytest.mark.parametrize("tile", [32, 33, 64])
def test_every_pixel_is_written_at_any_size(photo, size, tile):
    lr = photo[: size[0], : size[1]]
    np.testing.assert_array_equal(upscaler(4, tile=tile)(Nearest(), lr), repeated(lr))


def test_no_tile_is_larger_than_asked_for_and_its_padding(photo):
    network = Nearest()
    upscaler(4, tile=40)(network, photo)
    assert max(map(max, network.sizes)) <= 40 + 2 * 3


def test_tiles_share_a_picture_evenly(photo):
    network = Nearest()
    upscaler(4, tile=90)(network, photo[:92, :92])
    assert {size for pair in network.sizes for size in pair} == {46 + 3}


def test_a_tile_begins_at_a_multiple(photo):
    network = Nearest()
    lr = photo[:70, :90]
    network.multiple = 8
    made = upscaler(4, tile=32)(network, lr)
    np.testing.assert_array_equal(made, repeated(lr))
    # 70 rows are tiles of 24, 24 and 22; read from 0, 16 (24 - 3, rounded down) and 40
    assert {size[0] for size in network.sizes} == {24 + 3, 48 + 3 - 16, 70 - 40}


@pytest.mark.parametrize("message", [None, "[enforce fail] DefaultCPUAllocator: can't allocate"])
def test_out_of_memory_halves_the_tile_and_goes_on(photo, caplog, message):
    network = Nearest(limit=50 * 50, message=message)
    with caplog.at_level(logging.WARNING):
        made = upscaler(4, tile=128)(network, photo)
    np.testing.assert_array_equal(made, repeated(photo))
    assert [record.message for record in caplog.records] == [
        "out of memory on cpu; going on with tiles of 64",
        "out of memory on cpu; going on with tiles of 32",
    ]


class Hungry(Nearest):
    """Asks its device for a pebibyte above `limit` LR pixels."""

    def __init__(self, limit):
        super().__init__(limit=limit)
        self.zero = nn.Parameter(torch.zeros(()))

    def forward(self, lr):
        if lr.shape[2] * lr.shape[3] > self.limit:
            torch.empty(2**50, dtype=torch.uint8, device=lr.device)
        return super().forward(lr) + self.zero


def test_memory_that_a_device_really_lacks_halves_the_tile(photo, device, caplog):
    with caplog.at_level(logging.WARNING):
        made = upscaler(4, tile=128)(Hungry(limit=50 * 50).to(device), photo)
    np.testing.assert_array_equal(made, repeated(photo))
    assert [message.partition("; ")[2] for message in caplog.messages] == [
        "going on with tiles of 64",
        "going on with tiles of 32",
    ]


def test_what_was_done_before_memory_ran_out_is_not_done_again(photo):
    network = Nearest()
    upscaler(4, tile=64)(network, photo)
    undisturbed = len(network.sizes)
    network = Nearest()
    network.limit = 10**9

    def shrink(_module, _inputs, _output):
        network.limit = 50 * 50 if len(network.sizes) == undisturbed - 1 else network.limit

    network.register_forward_hook(shrink)
    np.testing.assert_array_equal(upscaler(4, tile=64)(network, photo), repeated(photo))
    assert len(network.sizes) > undisturbed
    assert len(network.sizes) <= undisturbed + 4


def test_no_memory_for_the_smallest_tile_is_one_sentence(photo):
    with pytest.raises(SrmodelsError, match=r"cpu: out of memory \(got tiles of 32 LR pixels\)"):
        upscaler(4)(Nearest(limit=10), photo)


def test_another_error_of_the_network_is_not_hidden(photo):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        upscaler(4)(Nearest(limit=10, message="shapes cannot be multiplied"), photo)


def test_a_network_of_another_scale_is_a_programmers_fault(photo):
    with pytest.raises(AssertionError, match="instead of"):
        upscaler(2)(Nearest(scale=4), photo)


def test_the_picture_is_left_alone(photo):
    before = photo.copy()
    upscaler(4)(small("srcnn"), photo)
    np.testing.assert_array_equal(photo, before)


def test_the_network_stays_as_it_was(photo):
    network = small("srresnet")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    upscaler(4)(network, photo)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())


def assert_near_fp32(precision, photo, device):
    network = small("srresnet", residual="bicubic")
    exact = upscaler(4)(network, photo)
    fast = upscaler(4, precision=precision)(network.to(device), photo)
    assert 0 < np.abs(exact.astype(int) - fast).mean() < 1


def test_bf16_is_near_fp32(photo, device):
    assert_near_fp32("bf16", photo, device)


@NO_GPU  # refused on a CPU
def test_fp16_is_near_fp32(photo):
    assert_near_fp32("fp16", photo, torch.device("cuda"))


def test_fp32_is_float32_on_a_gpu_and_no_tf32(device):
    layer = nn.Conv2d(256, 16, 3, padding=1, bias=False)
    images = torch.rand(1, 256, 16, 16)
    exact = layer.double()(images.double())
    job = TilingJob(
        network=layer.float().to(device),
        image=np.zeros((1, 1, 3)),
        scale=1,
        tile=1,
        precision="fp32",
    )
    with job.inference_context():
        found = layer(images.to(device))
    # TF32 has 10 bits: errors of some 1e-4
    assert (found.cpu() - exact).abs().max() < 1e-5 * exact.abs().max()


def test_tf32_is_off_within_fp32_on_a_gpu_and_as_before_after_it(monkeypatch):
    monkeypatch.setattr("srmodels.inference.tiling.job.device_of", lambda _: torch.device("cuda"))
    before = torch.backends.cudnn.allow_tf32
    image = np.zeros((1, 1, 3), np.uint8)
    job = TilingJob(network=nn.Identity(), image=image, scale=1, tile=1, precision="fp32")
    with job.inference_context():
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before


def test_auto_is_a_device_that_is_there():
    assert resolve_device("auto").type in ("cuda", "mps", "cpu")
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "meta"])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(ConfigError, match=rf"device: PyTorch sees .* \(got '{name}'\)"):
        resolve_device(name)
