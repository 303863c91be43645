import pytest
import torch

from srmodels import models, snapshot
from srmodels.engine.optim.optimizer import OptimSettings, optimizer_for
from srmodels.errors import ConfigError, WeightsError
from srmodels.models import rrdbnet
from srmodels.models._equivariance import _Layout, _orbits
from srmodels.models.srresnet import Settings

SMALL = {"num_blocks": 2, "channels": 16, "norm": "none", "equivariance": "p4m"}
KINDS = [
    {"upsampler": "direct", "edge_kernel": 3, "activation": "relu", "residual": "bicubic"},
    {"upsampler": "direct", "edge_kernel": 3, "initial_std": 0.1},
    {"upsampler": "pixelshuffle", "edge_kernel": 5},
    {"upsampler": "nearest_conv", "scale": 3},
]
RRDB = {"num_blocks": 1, "channels": 16, "growth_channels": 8, "residual_scale": 1.0}
RRDB_DIRECT = {**RRDB, "upsampler": "direct", "residual": "bicubic"}
SYMMETRIES = {
    "mirrored": lambda images: images.flip(-1),
    "upside down": lambda images: images.flip(-2),
    "transposed": lambda images: images.transpose(-1, -2),
    "turned": lambda images: images.rot90(1, (-2, -1)),
}
MUON = OptimSettings(learning_rate=1e-2, muon_learning_rate=1e-2)


def network(**kind):
    torch.manual_seed(0)
    if kind in (RRDB, RRDB_DIRECT):
        return models.build("rrdbnet", rrdbnet.Settings(**kind, equivariance="p4m"))
    return models.build("srresnet", Settings(**SMALL | kind))


def trained(net, settings):
    """Trains towards noise, which has no symmetry."""
    optimizer = optimizer_for((net,), settings)
    generator = torch.Generator().manual_seed(1)
    for _ in range(10):
        net.requires_grad_(requires_grad=False)  # as the engine does between players
        net.requires_grad_()
        optimizer.zero_grad()
        lr = torch.rand(2, 3, 8, 8, generator=generator)
        hr = torch.rand(2, 3, 8 * net.scale, 8 * net.scale, generator=generator)
        (net(lr) - hr).square().mean().backward()
        optimizer.step()
    return net


@torch.no_grad()
def largest_difference(net):
    lr = torch.rand(1, 3, 9, 12, generator=torch.Generator().manual_seed(2))
    sr = net(lr)
    assert sr.std() > 0.01
    return max((net(turn(lr)) - turn(sr)).abs().max() for turn in SYMMETRIES.values())


@pytest.mark.parametrize("kind", [*KINDS, RRDB, RRDB_DIRECT])
def test_sr_of_a_turned_picture_is_the_turned_sr(kind):
    assert largest_difference(network(**kind)) < 1e-5


@pytest.mark.parametrize("optim", [OptimSettings(learning_rate=1e-2), MUON])
@pytest.mark.parametrize("kind", [*KINDS, RRDB, RRDB_DIRECT])
def test_training_keeps_a_network_equivariant(kind, optim):
    net = network(**kind)
    before = [parameter.clone() for parameter in net.parameters()]
    trained(net, optim)
    assert not any(map(torch.equal, net.parameters(), before))
    assert largest_difference(net) < 1e-4


def test_a_plain_network_is_not_equivariant():
    assert largest_difference(network(**KINDS[0] | {"equivariance": "none"})) > 1e-2


def test_the_gradient_of_a_crop_is_the_mean_of_its_eight_versions():
    net, plain = network(**KINDS[0]), network(**KINDS[0] | {"equivariance": "none"})
    plain.load_state_dict(net.state_dict())
    lr, hr = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 32, 32)
    (net(lr) - hr).square().mean().backward()
    transforms = [
        (lambda t, k=turns, m=mirrored: (t.flip(-1) if m else t).rot90(k, (-2, -1)))
        for turns in range(4)
        for mirrored in (False, True)
    ]
    for transform in transforms:
        (plain(transform(lr)) - transform(hr)).square().mean().div(8).backward()
    ours, theirs = net.head[0].weight.grad, plain.head[0].weight.grad
    # a plain network's eight gradients are turned versions of one another, map by map
    torch.testing.assert_close(ours.sum(0), theirs.sum(0))


@pytest.mark.parametrize(
    ("block", "free"),
    [
        (
            (_Layout(maps=8), _Layout(maps=8, side=3)),
            72,
        ),  # between features: an eighth of 8 x 8 x 9
        ((_Layout(maps=8), _Layout(side=3)), 9),  # colours to features
        ((_Layout(maps=8, side=2), _Layout(maps=8, side=3)), 288),  # before a PixelShuffle
        (
            (_Layout(side=4), _Layout(maps=8, side=3)),
            144,
        ),  # features to the 4 x 4 pixels of a colour
        ((_Layout(), _Layout(maps=8, side=9)), 81),  # features to a colour
        ((_Layout(maps=8), _Layout()), 1),  # biases
        ((_Layout(side=4), _Layout()), 3),  # corners, edges and middle of 4 x 4 pixels
    ],
)
def test_the_number_of_free_weights_is_the_number_of_orbits(block, free):
    members, orbit = _orbits(*block)
    assert members.shape == (8, free)
    assert torch.equal(orbit[members], torch.arange(free).expand(8, -1))


def test_weights_begin_as_spread_as_a_plain_networks():
    net = network(channels=64, num_blocks=1, **KINDS[1])
    for name, weight in net.named_parameters():
        if "weight" in name and weight.ndim == 4:
            assert weight.std().item() == pytest.approx(0.1, rel=0.2), name


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"channels": 20}, "channels must be a multiple of 8"), ({"norm": "batch"}, "norm: none")],
)
def test_settings_that_cannot_be_tied_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**SMALL | settings)


def test_weights_that_are_not_tied_are_refused(tmp_path):
    plain = network(**KINDS[0] | {"equivariance": "none"})
    path = tmp_path / "plain.safetensors"
    snapshot.save(path, plain, name="srresnet", settings=Settings(**SMALL | KINDS[0]))
    with pytest.raises(ConfigError, match=r"plain\.safetensors do not fit .*flips and turns"):
        snapshot.warm_start(network(**KINDS[0]), path)
    with pytest.raises(WeightsError, match="flips and turns"):
        snapshot.load(path)


@pytest.mark.parametrize("members", [1, 2])
def test_weights_trained_with_ties_are_loaded(members, tmp_path):
    net = trained(network(**KINDS[0], members=members), MUON)
    path = tmp_path / "tied.safetensors"
    settings = Settings(**SMALL | KINDS[0], members=members)
    snapshot.save(path, net, name="srresnet", settings=settings)
    other = network(**KINDS[0], members=members)
    snapshot.warm_start(other, path)
    assert all(map(torch.equal, other.parameters(), net.parameters()))
    assert largest_difference(snapshot.load(path).network) < 1e-4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"upsampler": "pixelshuffle"}, "p4m needs upsampler: nearest_conv or direct"),
        ({"growth_channels": 12}, "must be multiples of 8"),
    ],
)
def test_an_rrdbnet_that_cannot_be_equivariant_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        rrdbnet.Settings(**RRDB | changes, equivariance="p4m")
