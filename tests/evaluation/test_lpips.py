"""LPIPS with AlexNet's shape but drawn weights: the real ones have to be downloaded.

So these tests say that the pictures reach torchmetrics as they should, not what LPIPS is.
"""

import numpy as np
import pytest
import torch

from srmodels.errors import WeightsError
from srmodels.evaluation.lpips import open_lpips
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image, to_tensor

pytest.importorskip("torchmetrics", reason="the extra lpips is not installed")

NAME = "alexnet-owt-7be5be79.pth"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty folder for downloaded weights, and no way to download any."""

    def refused(url, *_, **__):
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", refused)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def drawn(hub):
    """Drawn convolutions; what classifies is one number, repeated, for a small file."""
    from torchvision.models import alexnet

    with torch.device("meta"):
        shapes = {key: value.shape for key, value in alexnet().state_dict().items()}
    state = {
        key: 0.05 * torch.randn(shape) if "features" in key else torch.zeros(1).expand(shape)
        for key, shape in shapes.items()
    }
    torch.save(state, hub / NAME)


@pytest.mark.parametrize("content", [None, b"half a file"])
def test_missing_or_broken_weights_are_an_error_that_says_how_to_get_them(hub, content):
    if content is not None:
        (hub / NAME).write_bytes(content)
    with pytest.raises(WeightsError, match=rf"lpips: .*fetch https://.* at {hub}/{NAME}"):
        open_lpips()


@pytest.mark.slow
def test_it_is_torchmetrics_inside_the_border(drawn, photo):
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity

    distance, sr = open_lpips(), enlarge_image(downscale(photo, 4), 4)
    inner = [to_tensor(np.ascontiguousarray(each[4:-4, 4:-4])) for each in (sr, photo)]
    expected = learned_perceptual_image_patch_similarity(*inner, net_type="alex", normalize=True)
    assert distance(sr, photo, 4) == pytest.approx(float(expected), abs=1e-6)
    assert distance(photo, photo, 4) == 0
    assert distance(sr[:39, :39], photo[:39, :39], 4) > 0
