import pytest
import torch

from srmodels import models, snapshot
from srmodels.engine.optim.optim import OptimSettings, optimizer_for
from srmodels.errors import ConfigError, WeightsError
from srmodels.models._equivariance import _End, _tied
from srmodels.models.srresnet import Settings

SMALL = {"num_blocks": 2, "channels": 16, "norm": "none", "equivariance": "p4m"}
KINDS = [
    {"upsampler": "direct", "edge_kernel": 3, "activation": "relu", "residual": "bicubic"},
    {"upsampler": "direct", "edge_kernel": 3, "initial_std": 0.1},
    {"upsampler": "pixelshuffle", "edge_kernel": 5},
    {"upsampler": "nearest_conv", "scale": 3},
]
MOVES = {
    "mirrored": lambda pictures: pictures.flip(-1),
    "upside down": lambda pictures: pictures.flip(-2),
    "transposed": lambda pictures: pictures.transpose(-1, -2),
    "turned": lambda pictures: pictures.rot90(1, (-2, -1)),
}
MUON = OptimSettings(learning_rate=1e-2, muon_learning_rate=1e-2)


def network(**kind):
    torch.manual_seed(0)
    return models.build("srresnet", Settings(**SMALL | kind))


def trained(net, settings):
    """Towards noise, which is the same from no side."""
    optimizer = optimizer_for((net,), settings)
    pictures = torch.Generator().manual_seed(1)
    for _ in range(10):
        net.requires_grad_(requires_grad=False)  # as the engine does between players
        net.requires_grad_()
        optimizer.zero_grad()
        lr = torch.rand(2, 3, 8, 8, generator=pictures)
        hr = torch.rand(2, 3, 8 * net.scale, 8 * net.scale, generator=pictures)
        (net(lr) - hr).square().mean().backward()
        optimizer.step()
    return net


@torch.no_grad()
def largest_difference(net):
    lr = torch.rand(1, 3, 9, 12, generator=torch.Generator().manual_seed(2))
    sr = net(lr)
    assert sr.std() > 0.01
    return max((net(move(lr)) - move(sr)).abs().max() for move in MOVES.values())


@pytest.mark.parametrize("kind", KINDS)
def test_sr_of_a_turned_picture_is_the_turned_sr(kind):
    assert largest_difference(network(**kind)) < 1e-5


@pytest.mark.parametrize("optim", [OptimSettings(learning_rate=1e-2), MUON])
@pytest.mark.parametrize("kind", KINDS)
def test_so_it_is_after_training(kind, optim):
    net = network(**kind)
    before = [each.clone() for each in net.parameters()]
    trained(net, optim)
    assert all(not torch.equal(now, was) for now, was in zip(net.parameters(), before, strict=True))
    assert largest_difference(net) < 1e-4


def test_a_plain_one_is_not_so():
    assert largest_difference(network(**KINDS[0] | {"equivariance": "none"})) > 1e-2


def test_the_gradient_of_a_crop_is_the_mean_of_its_eight_versions():
    net, plain = network(**KINDS[0]), network(**KINDS[0] | {"equivariance": "none"})
    plain.load_state_dict(net.state_dict())
    lr, hr = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 32, 32)
    (net(lr) - hr).square().mean().backward()
    sides = [
        (lambda t, k=turns, m=mirrored: (t.flip(-1) if m else t).rot90(k, (-2, -1)))
        for turns in range(4)
        for mirrored in (False, True)
    ]
    for side in sides:
        (plain(side(lr)) - side(hr)).square().mean().div(8).backward()
    ours, theirs = net.head[0].weight.grad, plain.head[0].weight.grad
    # a plain network's eight gradients are turned versions of one another, map by map
    torch.testing.assert_close(ours.sum(0), theirs.sum(0))


@pytest.mark.parametrize(
    ("block", "free"),
    [
        ((_End(maps=8), _End(maps=8, side=3)), 72),  # between features: an eighth of 8 x 8 x 9
        ((_End(maps=8), _End(side=3)), 9),  # colours to features
        ((_End(maps=8, side=2), _End(maps=8, side=3)), 288),  # before a PixelShuffle
        ((_End(side=4), _End(maps=8, side=3)), 144),  # features to the 4 x 4 pixels of a colour
        ((_End(), _End(maps=8, side=9)), 81),  # features to a colour
        ((_End(maps=8), _End()), 1),  # biases
        ((_End(side=4), _End()), 3),  # corners, edges and middle of 4 x 4 pixels
    ],
)
def test_as_many_weights_are_free_as_the_group_leaves(block, free):
    members, which = _tied(*block)
    assert members.shape == (8, free)
    assert torch.equal(which[members], torch.arange(free).expand(8, -1))


def test_weights_begin_as_spread_as_a_plain_networks():
    net = network(channels=64, num_blocks=1, **KINDS[1])
    for name, each in net.named_parameters():
        if "weight" in name and each.ndim == 4:
            assert each.std().item() == pytest.approx(0.1, rel=0.2), name


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"channels": 20}, "channels must be a multiple of 8"), ({"norm": "batch"}, "norm: none")],
)
def test_what_cannot_be_tied_is_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        Settings(**SMALL | wrong)


def test_weights_that_are_not_tied_are_refused(tmp_path):
    plain = network(**KINDS[0] | {"equivariance": "none"})
    path = tmp_path / "plain.safetensors"
    snapshot.save(path, plain, name="srresnet", settings=Settings(**SMALL | KINDS[0]))
    with pytest.raises(ConfigError, match=r"plain\.safetensors do not fit .*flips and turns"):
        snapshot.warm_start(network(**KINDS[0]), path)
    with pytest.raises(WeightsError, match="flips and turns"):
        snapshot.load(path)


@pytest.mark.parametrize("members", [1, 2])
def test_weights_that_were_trained_tied_are_taken(members, tmp_path):
    net = trained(network(**KINDS[0], members=members), MUON)
    path = tmp_path / "tied.safetensors"
    settings = Settings(**SMALL | KINDS[0], members=members)
    snapshot.save(path, net, name="srresnet", settings=settings)
    other = network(**KINDS[0], members=members)
    snapshot.warm_start(other, path)
    assert all(map(torch.equal, other.parameters(), net.parameters()))
    assert largest_difference(snapshot.load(path).network) < 1e-4
