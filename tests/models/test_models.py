import subprocess
import sys

import pytest
import torch

from srmodels import models
from srmodels.errors import ConfigError
from srmodels.resize.tensors import enlarge, reduce

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
    ("srvgg", {}, 621_424),
    ("srvgg", {"num_blocks": 32}, 1_213_296),  # realesr-general-x4v3
    ("span", {}, 498_208),
    ("span", {"channels": 48, "scale": 2}, 410_700),  # SPAN-S
    ("span", {"channels": 28}, 150_688),  # NTIRE 2024
    ("patch_discriminator", {}, 5_211_713),
    ("srgan_discriminator", {}, 23_565_505),
    ("cyclegan_up", {}, 757_443),
    ("cyclegan_down", {}, 3_063_171),
    ("cyclegan_discriminator", {}, 662_977),
    ("unet_discriminator", {}, 4_376_897),
]


def build(network, **settings):
    return models.build(network, models.settings_class(network)(**settings)).eval()


@pytest.mark.parametrize(("network", "settings", "count"), COUNTS)
def test_parameters_are_as_many_as_the_paper_has(network, settings, count):
    assert sum(p.numel() for p in build(network, **settings).parameters()) == count


def test_networks_are_found_by_role():
    assert {"srcnn", "srresnet"} <= set(models.names("generator"))
    assert {"srgan_discriminator", "patch_discriminator"} <= set(models.names("discriminator"))
    assert models.names("degrader") == ["cyclegan_down"]
    roles = ("generator", "degrader", "discriminator")
    assert set(models.names()) == {name for role in roles for name in models.names(role)}


def test_an_unknown_network_is_refused_with_a_guess():
    with pytest.raises(ConfigError, match=r"network: .*did you mean srresnet"):
        models.settings_class("srresnt")


@pytest.mark.slow
def test_only_the_network_asked_for_is_imported():
    code = (
        "import sys; from srmodels import models; models.names('generator');"
        "models.settings_class('srcnn');"
        "print(*sorted(m for m in sys.modules if m.startswith('srmodels.models.')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    names = [name.removeprefix("srmodels.models.") for name in result.stdout.split()]
    assert [name for name in names if name[0] != "_"] == ["srcnn"]


def test_srcnn_begins_as_the_bicubic_enlargement():
    lr = torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        difference = build("srcnn")(lr) - enlarge(lr, 4).clamp_min(0)
    assert difference.abs().max() < 0.15
    assert difference.abs().mean() < 0.02


def test_srcnn_gives_a_flat_picture_no_frame():
    network = build("srcnn", channels=(3, 3))  # the identity: only padding could add a frame
    lr = torch.full((1, 3, 6, 6), 0.7)
    with torch.no_grad():
        sr = network(lr)
    torch.testing.assert_close(sr, sr.mean((2, 3), keepdim=True).expand_as(sr))


def test_the_small_srresnet_begins_near_the_bicubic_enlargement():
    lr = torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        difference = build("srresnet", **QUICKSTART)(lr) - enlarge(lr, 4)
    assert difference.abs().mean() < 0.1


def test_a_new_pixelshuffle_draws_no_checkerboard():
    network = build("srresnet", num_blocks=1, channels=8)
    with torch.no_grad():
        shuffled = network.tail[:2](torch.rand(1, 8, 5, 5))
    nearest = shuffled[..., ::2, ::2].repeat_interleave(2, -1)
    assert torch.equal(shuffled, nearest.repeat_interleave(2, -2))


def test_each_prelu_has_one_slope():
    network = build("srresnet", num_blocks=2, channels=8)
    slopes = [m.num_parameters for m in network.modules() if isinstance(m, torch.nn.PReLU)]
    assert slopes == [1] * (1 + 2 + 2)


def test_srgans_discriminator_refuses_another_patch_size_by_name():
    discriminator = build("srgan_discriminator", channels=4, patch_size=32)
    with pytest.raises(ConfigError, match=r"patch_size.*got 48 x 32, patch_size 32"):
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
    expected = torch.nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=50).weight
    ours = build("patch_discriminator", channels=4, num_stages=1).features[0]
    norm = ours.parametrizations.weight[0].train()
    norm.left = torch.nn.functional.normalize(torch.randn(6), dim=0)
    for _ in range(50):
        normed = norm(weight)
    torch.testing.assert_close(normed, expected, rtol=1e-3, atol=1e-4)


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


def test_the_unet_discriminator_judges_every_pixel_of_a_picture_of_any_size():
    discriminator = build("unet_discriminator", channels=2)
    with torch.no_grad():
        assert discriminator(torch.rand(2, 3, 13, 1)).shape == (2, 1, 13, 1)


def test_the_unet_discriminator_norms_all_but_its_first_and_last_layer():
    discriminator = build("unet_discriminator", channels=4)
    normed = [hasattr(getattr(discriminator, f"conv{n}"), "parametrizations") for n in range(10)]
    assert normed == [False, *[True] * 8, False]


def test_the_unet_discriminator_equals_the_public_codes_composition():
    net = build("unet_discriminator", channels=4)
    images = torch.rand(1, 3, 16, 24)

    def act(features):
        return torch.nn.functional.leaky_relu(features, 0.2)

    def up(features):
        return torch.nn.functional.interpolate(features, scale_factor=2, mode="bilinear")

    with torch.no_grad():
        x0 = act(net.conv0(images * 2 - 1))
        x1 = act(net.conv1(x0))
        x2 = act(net.conv2(x1))
        x4 = act(net.conv4(up(act(net.conv3(x2))))) + x2
        x6 = act(net.conv6(up(act(net.conv5(up(x4))) + x1))) + x0
        expected = net.conv9(act(net.conv8(act(net.conv7(x6)))))
        torch.testing.assert_close(net(images), expected)


def test_cyclegans_discriminator_refuses_a_patch_that_leaves_no_logit():
    discriminator = build("cyclegan_discriminator", channels=2)
    with torch.no_grad():
        assert discriminator(torch.rand(1, 3, 16, 16)).shape == (1, 1, 1, 1)
    with pytest.raises(ConfigError, match=r"num_stages: .*got 16 x 15, need 16 x 16"):
        discriminator(torch.rand(1, 3, 16, 15))


@pytest.mark.parametrize(("num_stages", "side"), [(1, 10), (2, 22), (3, 46), (4, 94)])
def test_a_logit_of_cyclegans_discriminator_sees_as_many_pixels_as_it_says(num_stages, side):
    discriminator = build("cyclegan_discriminator", channels=1, num_stages=num_stages).double()
    for parameter in discriminator.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    images = torch.ones(1, 3, 200, 200, dtype=torch.float64, requires_grad=True)
    logits = discriminator(images)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    assert (images.grad[0, 0] != 0).any(0).sum() == side


@pytest.mark.parametrize(
    ("network", "resized"), [("cyclegan_up", enlarge), ("cyclegan_down", reduce)]
)
def test_a_translator_with_a_bicubic_residual_begins_near_it(network, resized):
    images = torch.rand(1, 3, 24, 24)
    with torch.no_grad():
        difference = build(network, residual="bicubic")(images) - resized(images, 4)
    assert difference.abs().mean() < 0.15


@pytest.mark.parametrize("upsampler", ["pixelshuffle", "direct"])
def test_a_swinir_with_a_bicubic_residual_begins_near_it(upsampler):
    sizes = {"channels": 8, "depths": (2,), "num_heads": (2,), "upsampler": upsampler}
    lr = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        difference = build("swinir", **sizes, residual="bicubic")(lr) - enlarge(lr, 4)
    assert difference.abs().mean() < 0.05


def test_a_published_translator_stays_within_0_and_1():
    with torch.no_grad():
        for network in ("cyclegan_up", "cyclegan_down"):
            built = build(network, channels=4, num_blocks=1)
            output = built(100 * torch.randn(1, 3, 8, 8))
            assert output.min() >= 0
            assert output.max() <= 1


def test_cyclegans_weights_begin_as_the_paper_says():
    degrader = build("cyclegan_down", channels=16)
    deviations = [layer.weight.std() for layer in degrader.modules() if hasattr(layer, "weight")]
    torch.testing.assert_close(
        torch.stack(deviations), torch.full((len(deviations),), 0.02), rtol=0.1, atol=0
    )
    assert not any(p.any() for n, p in degrader.named_parameters() if n.endswith("bias"))


@pytest.mark.parametrize("upsampler", ["direct", "pixelshuffle"])
def test_an_initial_deviation_is_that_of_all_weights_of_srresnet(upsampler):
    torch.manual_seed(0)
    network = build("srresnet", norm="none", upsampler=upsampler, initial_std=0.05)
    convolutions = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    deviations = torch.stack([layer.weight.std() for layer in convolutions])
    torch.testing.assert_close(deviations, torch.full((len(deviations),), 0.05), rtol=0.05, atol=0)
    assert not any(layer.bias.any() for layer in convolutions)


@pytest.mark.parametrize("std", [-0.1, 1.1])
def test_srresnet_refuses_an_initial_deviation_out_of_range(std):
    with pytest.raises(ValueError, match=r"initial_std must lie in \[0, 1\]"):
        models.settings_class("srresnet")(initial_std=std)


@pytest.mark.parametrize("kernels", [(9, 2, 5), (0, 1, 1)])
def test_srcnn_refuses_even_or_empty_kernels(kernels):
    with pytest.raises(ValueError, match="kernels must be odd"):
        models.settings_class("srcnn")(kernels=kernels)


def test_the_direct_upsampler_keeps_flat_areas_flat_whatever_its_weights():
    network = build("srresnet", num_blocks=1, channels=8, norm="none", upsampler="direct")
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    picture = network(torch.rand(1, 3, 1, 1).expand(1, 3, 32, 32))
    inside = picture[..., 60:68, 60:68]  # zero padding reaches no further
    assert inside.flatten(2).std(dim=2).max() < 1e-4 * picture.abs().max()
