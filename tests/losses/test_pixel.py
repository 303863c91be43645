import numpy as np
import pytest
import torch

from srmodels.evaluation.metrics.luma import luma
from srmodels.losses.pixel import brightness, pixel_loss
from srmodels.objectives.pixel import Settings as PixelSettings

SR = torch.tensor([[[[0.0, 0.5], [1.0, 0.2]]]])
HR = torch.tensor([[[[0.0, 0.1], [0.8, 0.5]]]])
DIFFERENCES = [0.0, 0.4, 0.2, -0.3]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("l1", sum(abs(d) for d in DIFFERENCES) / 4),
        ("mse", sum(d**2 for d in DIFFERENCES) / 4),
        ("charbonnier", sum((d**2 + 1e-6) ** 0.5 for d in DIFFERENCES) / 4),
    ],
)
def test_pixel_losses_equal_their_formulas(kind, value):
    assert pixel_loss(kind)(SR, HR).item() == pytest.approx(value)


@pytest.mark.parametrize("kind", ["l1", "mse", "charbonnier"])
def test_pictures_of_two_sizes_are_not_broadcast(kind):
    with pytest.raises(AssertionError, match="one shape"):
        pixel_loss(kind)(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 1, 1))


def test_charbonnier_is_smooth_where_nothing_differs():
    sr = HR.clone().requires_grad_()
    pixel_loss("charbonnier")(sr, HR).backward()
    assert torch.equal(sr.grad, torch.zeros_like(sr))


def test_charbonnier_of_a_large_epsilon_is_half_the_square():
    sr = torch.full((1, 3, 2, 2), 0.001)
    found = pixel_loss("charbonnier", epsilon=0.1)(sr, torch.zeros_like(sr))
    assert float(found) - 0.1 == pytest.approx(0.001**2 / 2 / 0.1, rel=0.01)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, 2.0])
def test_an_epsilon_out_of_range_is_refused(epsilon):
    with pytest.raises(ValueError, match=r"epsilon must lie in \(0, 1\]"):
        PixelSettings(kind="charbonnier", epsilon=epsilon)


def test_an_epsilon_that_would_do_nothing_is_refused():
    with pytest.raises(ValueError, match=r"belongs to kind: charbonnier \(got l1\)"):
        PixelSettings(kind="l1", epsilon=0.03)


def test_brightness_is_the_y_of_the_scores_in_full_range():
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    found = brightness(torch.from_numpy(picture / 255).permute(2, 0, 1)[None])[0, 0]
    assert found.numpy() == pytest.approx((luma(picture) - 16) / 219, abs=1e-6)


@pytest.mark.parametrize("kind", ["l1", "mse", "charbonnier"])
def test_the_share_of_luma_moves_a_loss_from_colours_to_brightness(kind):
    sr, hr = torch.rand(2, 1, 3, 4, 4).unbind(0)
    grey = [brightness(each) for each in (sr, hr)]
    parts = pixel_loss(kind)(sr, hr), pixel_loss(kind)(*grey)
    found = pixel_loss(kind, luma=0.75)(sr, hr)
    assert float(found) == pytest.approx(float(0.25 * parts[0] + 0.75 * parts[1]))


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_of_luma_that_leaves_no_colours_is_refused(share):
    with pytest.raises(ValueError, match=r"luma must lie in \[0, 1\)"):
        PixelSettings(luma=share)
