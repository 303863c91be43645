import subprocess
import sys

import pytest
import torch

from srmodels import models
from srmodels.errors import ConfigError
from srmodels.resize import enlarge

QUICKSTART = {
    "num_blocks": 8,
    "channels": 32,
    "norm": "none",
    "edge_kernel": 3,
    "upsampler": "direct",
    "activation": "relu",
    "residual": "bicubic",
}
LIGHT = {
    "channels": 60,
    "depths": (6, 6, 6, 6),
    "num_heads": (6, 6, 6, 6),
    "upsampler": "direct",
}
COUNTS = [
    ("srcnn", {}, 20_099),
    ("srcnn", {"kernels": (9, 5, 5)}, 69_251),
    ("srresnet", {}, 1_549_462),
    ("srresnet", QUICKSTART, 171_984),
    ("edsr", {}, 1_517_571),
    ("edsr", {"num_blocks": 32, "channels": 256, "residual_scale": 0.1}, 43_089_923),
    ("rrdbnet", {}, 16_697_987),
    ("rrdbnet", {"upsampler": "pixelshuffle"}, 16_919_555),
    ("swinir", {}, 11_900_199),
    ("swinir", LIGHT, 929_628),
    ("patch_discriminator", {}, 5_211_713),
    ("srgan_discriminator", {}, 23_565_505),
]


def build(network, **settings):
    return models.build(network, models.settings_class(network)(**settings)).eval()


@pytest.mark.parametrize(("network", "settings", "count"), COUNTS)
def test_parameters_are_as_many_as_the_paper_has(network, settings, count):
    assert sum(each.numel() for each in build(network, **settings).parameters()) == count


def test_networks_are_found_by_role():
    assert {"srcnn", "srresnet"} <= set(models.names("generator"))
    assert {"srgan_discriminator", "patch_discriminator"} <= set(models.names("discriminator"))
    assert set(models.names()) == {*models.names("generator"), *models.names("discriminator")}


def test_an_unknown_network_is_refused_with_a_guess():
    with pytest.raises(ConfigError, match=r"recipe\.generator: .*did you mean srresnet"):
        models.settings_class("srresnt", "recipe.generator")


@pytest.mark.slow
def test_only_the_network_asked_for_is_imported():
    code = (
        "import sys; from srmodels import models; models.names('generator');"
        "models.settings_class('srcnn');"
        "print(*sorted(m for m in sys.modules if m.startswith('srmodels.models.')))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = [name.removeprefix("srmodels.models.") for name in found.stdout.split()]
    assert [name for name in names if name[0] != "_"] == ["srcnn"]


def test_srcnn_begins_as_the_bicubic_enlargement():
    lr = torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        difference = build("srcnn")(lr) - enlarge(lr, 4).clamp_min(0)
    assert difference.abs().max() < 0.15
    assert difference.abs().mean() < 0.02


def test_srcnn_gives_a_flat_picture_no_frame():
    network = build("srcnn", channels=(3, 3))  # without noise: only what padding does is left
    lr = torch.full((1, 3, 6, 6), 0.7)
    with torch.no_grad():
        sr = network(lr)
    torch.testing.assert_close(sr, sr.mean((2, 3), keepdim=True).expand_as(sr))


def test_the_small_srresnet_begins_near_the_bicubic_enlargement():
    lr = torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        difference = build("srresnet", **QUICKSTART)(lr) - enlarge(lr, 4)
    assert difference.abs().mean() < 0.1


@pytest.mark.parametrize("upsampler", ["pixelshuffle", "direct"])
def test_a_new_pixelshuffle_draws_no_checkerboard(upsampler):
    network = build("srresnet", num_blocks=1, channels=8, upsampler=upsampler)
    with torch.no_grad():
        tail = network.tail[:-1] if upsampler == "pixelshuffle" else network.tail
        shuffled = tail[:2](torch.rand(1, 8, 5, 5))
    factor = 2 if upsampler == "pixelshuffle" else 4
    nearest = shuffled[..., ::factor, ::factor].repeat_interleave(factor, -1)
    assert torch.equal(shuffled, nearest.repeat_interleave(factor, -2))


def test_each_prelu_has_one_slope():
    network = build("srresnet", num_blocks=2, channels=8)
    slopes = [m.num_parameters for m in network.modules() if isinstance(m, torch.nn.PReLU)]
    assert slopes == [1] * (1 + 2 + 2)


def test_srgans_discriminator_refuses_another_patch_size_by_name():
    discriminator = build("srgan_discriminator", channels=4, patch_size=32)
    with pytest.raises(ConfigError, match=r"patch_size.*found 48 x 32, patch_size 32"):
        discriminator(torch.rand(1, 3, 48, 32))


def test_srgans_discriminator_wants_a_multiple_of_16():
    with pytest.raises(ValueError, match="patch_size must be a multiple of 16"):
        models.settings_class("srgan_discriminator")(patch_size=100)


def test_the_patch_discriminators_weights_have_spectral_norm_one():
    discriminator = build("patch_discriminator", channels=8, num_stages=2)
    layers = [m for m in discriminator.modules() if isinstance(m, torch.nn.Conv2d)]
    norms = torch.stack([torch.linalg.matrix_norm(m.weight.flatten(1), 2) for m in layers])
    assert len(layers) == 6
    torch.testing.assert_close(norms, torch.ones(6), rtol=0.1, atol=0)


def test_spectral_norm_equals_torchs_own():
    weight = torch.randn(6, 5, 3, 3)
    layer = torch.nn.Conv2d(5, 6, 3)
    layer.weight.data.copy_(weight)
    wanted = torch.nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=50).weight
    ours = build("patch_discriminator", channels=4, num_stages=1).features[0]
    norm = ours.parametrizations.weight[0].train()
    norm.left = torch.nn.functional.normalize(torch.randn(6), dim=0)
    for _ in range(50):
        found = norm(weight)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


def test_the_power_iteration_goes_on_in_training_and_rests_in_evaluation():
    discriminator = build("patch_discriminator", channels=4, num_stages=1)
    images = torch.rand(1, 3, 8, 8)
    before = {k: v.clone() for k, v in discriminator.state_dict().items() if k.endswith("left")}
    discriminator(images)
    assert all(torch.equal(discriminator.state_dict()[key], before[key]) for key in before)
    discriminator.train()(images)
    assert not all(torch.equal(discriminator.state_dict()[key], before[key]) for key in before)


def test_two_forward_passes_of_the_patch_discriminator_share_one_backward():
    discriminator = build("patch_discriminator", channels=4, num_stages=1).train()
    real, fake = (discriminator(torch.rand(1, 3, 8, 8)) for _ in range(2))
    (real.mean() - fake.square().mean()).backward()
    assert all(p.grad is not None for p in discriminator.parameters())


@pytest.mark.parametrize("kernels", [(9, 2, 5), (0, 1, 1)])
def test_srcnn_refuses_even_or_empty_kernels(kernels):
    with pytest.raises(ValueError, match="kernels must be odd"):
        models.settings_class("srcnn")(kernels=kernels)
