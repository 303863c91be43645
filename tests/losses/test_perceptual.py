import dataclasses
import urllib.error

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import VGG19_Weights

from srmodels.config import check
from srmodels.errors import ConfigError, TrainingError, WeightsError
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.pretrained import weights
from srmodels.pretrained.feature_network import layer_index

SHALLOW = {"conv1_2": 1.0}
NETWORKS = ["vgg16", "vgg19"]


def random_loss(**settings):
    return Perceptual(PerceptualSettings(weights="random", **({"layers": SHALLOW} | settings)))


@pytest.fixture
def pair():
    return torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("network", NETWORKS)
def test_layers_are_convolutions_before_or_after_their_activation(network, before, pair):
    layers = {"conv1_2": 1.0, "conv2_1": 1.0}
    both = random_loss(network=network, layers=layers, before_activation=before).network(pair[0])
    kind = "conv" if before else "relu"
    assert list(both) == [f"{kind}1_2", f"{kind}2_1"]
    assert (both[f"{kind}1_2"].amin() < 0) == before


def test_mean_and_deviation_are_the_ones_torchvisions_weights_want():
    wanted = VGG19_Weights.IMAGENET1K_V1.transforms()
    loss = random_loss()
    assert loss.network.mean.flatten().tolist() == pytest.approx(wanted.mean)
    assert loss.network.std.flatten().tolist() == pytest.approx(wanted.std)


def test_conv5_4_ends_where_srgan_and_esrgan_end():
    assert len(random_loss(layers={"conv5_4": 1.0}).network.features) == 36


def test_no_layer_deeper_than_needed_is_built():
    assert len(random_loss().network.features) == 4


def test_equal_images_have_no_distance(pair):
    assert random_loss()(pair[0], pair[0]).item() == 0


@pytest.mark.parametrize(("distance", "power"), [("l1", 1), ("l2", 2)])
def test_distance_is_the_mean_difference_of_scaled_features(distance, power, pair):
    loss = random_loss(distance=distance, feature_scale=0.5)
    sr, hr = (loss.network(images)["relu1_2"] for images in pair)
    wanted = ((sr - hr).abs() * 0.5).pow(power).mean()
    torch.testing.assert_close(loss(*pair), wanted)


def test_layers_add_up_by_their_weights(pair):
    both = random_loss(layers={"conv1_1": 2.0, "conv1_2": 0.5})(*pair)
    first, second = (random_loss(layers={name: 1.0})(*pair) for name in ("conv1_1", "conv1_2"))
    torch.testing.assert_close(both, 2 * first + 0.5 * second)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_gradient_reaches_sr_and_neither_hr_nor_vgg(network, pair):
    loss = random_loss(network=network).train()
    sr, hr = (images.requires_grad_() for images in pair)
    loss(sr, hr).backward()
    assert sr.grad.any()
    assert hr.grad is None
    assert all(parameter.grad is None for parameter in loss.parameters())


def test_it_stays_in_evaluation_mode():
    assert not random_loss().train().network.training


def test_random_weights_are_the_same_whatever_the_seed():
    torch.manual_seed(1)
    first = random_loss().network.features[0].weight
    torch.manual_seed(2)
    assert torch.equal(first, random_loss().network.features[0].weight)


def test_making_random_weights_draws_nothing_from_the_global_generator():
    before = torch.get_rng_state()
    random_loss()
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("network", NETWORKS)
def test_random_features_are_of_order_one_at_every_depth(network):
    layers = [name for name in layer_index(network) if name.startswith("conv")]
    loss = random_loss(network=network, layers=dict.fromkeys(layers, 1.0))
    features = loss.network(torch.rand(1, 3, 32, 32)).values()
    sizes = [layer.square().mean().sqrt().item() for layer in features]
    assert 0.1 < min(sizes) < max(sizes) < 10


@pytest.mark.parametrize("hr", [torch.rand(1, 3, 8, 8) * 2 - 1, torch.rand(1, 3, 8, 8) * 255])
@pytest.mark.parametrize("network", NETWORKS)
def test_hr_in_another_range_is_refused(network, hr):
    with pytest.raises(TrainingError, match=r"HR is not in \[0, 1\]"):
        random_loss(network=network)(torch.rand(1, 3, 8, 8), hr)


@pytest.mark.parametrize("sr", [torch.rand(1, 3, 8, 8) * 2 - 1, torch.rand(1, 3, 8, 8) * 255])
@pytest.mark.parametrize("network", NETWORKS)
def test_sr_in_another_range_is_refused(network, sr):
    with pytest.raises(TrainingError, match=r"SR is not in \[0, 1\]"):
        random_loss(network=network)(sr, torch.rand(1, 3, 8, 8))


def test_a_networks_overshoot_is_no_other_range():
    sr = torch.rand(1, 3, 32, 32) * 1.3 - 0.15
    assert random_loss()(sr, torch.rand(1, 3, 32, 32)).isfinite()


def test_hr_that_is_not_a_number_is_refused():
    with pytest.raises(TrainingError, match="HR is not in"):
        random_loss()(torch.rand(1, 3, 8, 8), torch.full((1, 3, 8, 8), torch.nan))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("prefix", ["features.", ""])
def test_weights_are_read_from_a_file(tmp_path, suffix, prefix):
    state = {f"{prefix}{k}": v + 1 for k, v in random_loss().network.features.state_dict().items()}
    path = tmp_path / f"vgg{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    loss = Perceptual(PerceptualSettings(weights=str(path), layers=SHALLOW))
    assert torch.equal(loss.network.features[2].weight, state[f"{prefix}2.weight"])


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path, suffix):
    path = tmp_path / f"vgg{suffix}"
    path.write_text("no weights")
    with pytest.raises(WeightsError, match="cannot be read"):
        Perceptual(PerceptualSettings(weights=str(path), layers=SHALLOW))


def test_a_pickle_that_could_run_code_is_refused(tmp_path):
    torch.save({"features.0.weight": print}, tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match="cannot be read"):
        Perceptual(PerceptualSettings(weights=str(tmp_path / "vgg.pth"), layers=SHALLOW))


def test_another_networks_weights_are_refused_by_key_and_shape(tmp_path):
    save_file({"features.0.weight": torch.zeros(8, 3, 3, 3)}, tmp_path / "other.safetensors")
    settings = PerceptualSettings(weights=str(tmp_path / "other.safetensors"), layers=SHALLOW)
    with pytest.raises(
        WeightsError, match=r"missing: 0\.bias.* 0\.weight \(8, 3, 3, 3\) instead of \(64, 3"
    ):
        Perceptual(settings)


def test_a_missing_file_is_named():
    with pytest.raises(WeightsError, match=r"no such file \(got 'nowhere\.pth'\)"):
        Perceptual(PerceptualSettings(weights="nowhere.pth", layers=SHALLOW))


def test_offline_the_error_names_the_address_and_the_place(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def offline(*args: object, **kwargs: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(WeightsError, match=r"vgg19-dcbb9e9d\.pth at .*checkpoints.vgg19-dcbb9e9d"):
        Perceptual(PerceptualSettings(layers=SHALLOW))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"layers": {"conv6_1": 1.0}},
            r"vgg19 \(got conv6_1\)\. Use one of conv1_1, conv1_2, .*conv5_4$",
        ),
        (
            {"network": "vgg16", "layers": {"conv5_4": 1.0}},
            r"layers of vgg16 \(got conv5_4\)\. Use one of conv1_1, conv1_2, .*, conv5_3$",
        ),
        ({"network": "vgg11"}, "'vgg16' or 'vgg19'"),
        ({"layers": {}}, "at least one layer"),
        ({"layers": {"conv1_1": 0.0}}, r"weights above 0 \(got conv1_1: 0\)"),
        ({"feature_scale": 0.0}, "feature_scale: must be above 0"),
        ({"distance": "l3"}, "'l1' or 'l2'"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_the_door(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(changes, PerceptualSettings, "gan.perceptual")


def test_settings_pass_the_door_and_come_back_equal():
    settings = PerceptualSettings(weights="random", layers={"conv2_2": 0.5})
    assert check(dataclasses.asdict(settings), PerceptualSettings, "perceptual") == settings


def test_placed_under_autocast_it_computes_in_that_precision_and_differs_by_rounding(pair):
    exact = random_loss(layers={"conv3_1": 1.0})
    with torch.autocast("cpu", torch.bfloat16):
        rounded = random_loss(layers={"conv3_1": 1.0}).placed(torch.device("cpu"))
    assert rounded.network.features[0].weight.dtype == torch.bfloat16
    sr = pair[0].requires_grad_()
    found = rounded(sr, pair[1])
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact(*pair), rtol=0.02, atol=0)
    found.backward()
    assert sr.grad.any()


def test_placed_without_autocast_it_stays_in_float32():
    assert random_loss().placed(None).network.features[0].weight.dtype == torch.float32


def test_imagenets_vgg16_comes_out_of_the_archive(pretrained):
    state = pretrained("vgg16")
    loss = Perceptual(PerceptualSettings(network="vgg16", layers=SHALLOW))
    assert torch.equal(loss.network.features[2].weight, state["features.2.weight"])


def test_without_the_archive_the_error_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path))
    monkeypatch.setattr(weights, "installed", lambda _: None)
    with pytest.raises(WeightsError, match="Run: srmodels download perceptual"):
        Perceptual(PerceptualSettings(network="vgg16", layers=SHALLOW))


def test_vgg19s_random_weights_stay_the_same_from_version_to_version():
    features = random_loss(layers={"conv5_4": 1.0}).network.features
    first, last = features[0].weight.flatten(), features[34].weight.flatten()
    assert first[:2].tolist() == pytest.approx([-0.306415, -0.313633], rel=1e-4)
    assert last[-2:].tolist() == pytest.approx([-0.013999, -0.013234], rel=1e-4)
