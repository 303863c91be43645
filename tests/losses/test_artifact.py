import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from srmodels.losses.artifact import artifact_loss, artifact_map
from srmodels.losses.pixel import l1


def expected_map(sr, hr, average, window=7, root=5):
    """The definition, pixel by pixel, in float64."""
    residual, of_average = (np.abs(each - hr).sum(1) for each in (sr, average))
    border = window // 2
    found = np.zeros_like(residual)
    for image, padded in enumerate(
        np.pad(residual, ((0, 0), (border, border), (border, border)), mode="reflect")
    ):
        sigma = np.var(residual[image], ddof=1) ** (1 / root)
        for y, x in np.ndindex(residual[image].shape):
            if residual[image, y, x] >= of_average[image, y, x]:
                around = padded[y : y + window, x : x + window]
                found[image, y, x] = sigma * np.var(around, ddof=1)
    return found[:, None]


@pytest.fixture
def images():
    """SR, HR and the average's SR, (2, 3, 13, 18)."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 2, 3, 13, 18, generator=generator).unbind(0)


def test_the_map_and_the_loss_equal_their_definition(images):
    sr, hr, average = (each.double().numpy() for each in images)
    expected = expected_map(sr, hr, average)
    found = artifact_map(*images)
    assert found.shape == (2, 1, 13, 18)
    assert 0.3 < (found == 0).float().mean() < 0.7  # the average is better at about half
    assert found.numpy() == pytest.approx(expected, rel=1e-4, abs=1e-7)
    loss = np.abs(expected * sr - expected * hr).mean()
    assert float(artifact_loss(*images)) == pytest.approx(loss, rel=1e-5)


def test_an_image_does_not_depend_on_the_others_of_its_batch(images):
    parts = [artifact_map(*(each[k : k + 1] for each in images)) for k in range(2)]
    torch.testing.assert_close(artifact_map(*images), torch.cat(parts))


def test_only_sr_gets_a_gradient_and_none_through_the_map(images):
    sr, hr, average = (each.clone().requires_grad_() for each in images)
    artifact_loss(sr, hr, average).backward()
    weights = artifact_map(sr, hr, average)
    assert not weights.requires_grad
    torch.testing.assert_close(sr.grad, weights * (sr - hr).sign() / sr.numel())
    assert average.grad is None


def test_a_perfect_sr_has_no_artifacts_and_no_gradient(images):
    _, hr, average = images
    sr = hr.clone().requires_grad_()
    loss = artifact_loss(sr, hr, average)
    loss.backward()
    assert loss == 0
    assert not sr.grad.any()


def test_a_constant_error_is_no_artifact(images):
    _, hr, _ = images
    sr = hr + 0.1
    assert float(l1(sr, hr)) == pytest.approx(0.1)
    assert artifact_map(sr, hr, hr).max() < 1e-6


def test_noise_in_a_smooth_area_costs_more_than_a_smooth_error_of_the_same_size():
    """The same absolute errors, scattered over an area or varying slowly over it."""
    hr = torch.full((1, 3, 28, 28), 0.5)
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 1, 3, 3, generator=generator)
    slow = 0.2 * interpolate(coarse, (28, 28), mode="bilinear", align_corners=True)
    scattered = slow.flatten()[torch.randperm(28 * 28, generator=generator)].view_as(slow)
    smooth, noisy = (hr + error for error in (slow, scattered))
    assert float(l1(noisy, hr)) == pytest.approx(float(l1(smooth, hr)))
    assert artifact_loss(noisy, hr, hr) > 2 * artifact_loss(smooth, hr, hr)


def test_a_pixel_that_is_nearer_to_hr_than_the_averages_is_no_artifact(images):
    sr, hr, average = images
    better = (sr - hr).abs().sum(1) < (average - hr).abs().sum(1)
    found = artifact_map(sr, hr, average)[:, 0]
    assert not found[better].any()
    assert (found[~better] > 0).all()


@pytest.mark.parametrize("which", [0, 1, 2])
def test_pictures_of_two_sizes_are_not_broadcast(which, images):
    cut = [each[..., :1] if k == which else each for k, each in enumerate(images)]
    with pytest.raises(AssertionError, match="one shape"):
        artifact_loss(*cut)
