"""LPIPS: how unlike two pictures look to a network that has learned people's judgements.

Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features as a
perceptual metric", CVPR 2018, https://arxiv.org/abs/1801.03924, version 0.1 with AlexNet, by
torchmetrics. The judgements' weights come inside torchmetrics; AlexNet's are torchvision's and are
downloaded once.
"""

from collections.abc import Callable
from pathlib import Path

import torch

from srmodels.errors import ConfigError, WeightsError
from srmodels.evaluation.luma import Picture, inside
from srmodels.resize.tensors import to_tensor

__all__ = ["LEAST", "Distance", "open_lpips"]

LEAST = 31  # pixels; from smaller pictures AlexNet's strides leave nothing
Distance = Callable[[Picture, Picture, int], float]
"""SR and HR, uint8 (H, W, 3), and the border left out, to 0 for equal pictures, about 1 at most."""


def open_lpips(*, device: str | torch.device = "cpu") -> Distance:
    """Loads what LPIPS needs.

    Args:
        device: Where it computes.

    Raises:
        ConfigError: torchmetrics (the extra `lpips`) is not installed.
        WeightsError: AlexNet's weights are neither here nor to be had, or are others.
    """
    try:
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity
    except ImportError:
        raise ConfigError(
            "lpips: torchmetrics is not installed; pip install 'srmodels[lpips]'"
        ) from None
    from torchvision.models import AlexNet_Weights

    url = AlexNet_Weights.DEFAULT.url
    target = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    try:
        metric = LearnedPerceptualImagePatchSimilarity("alex", normalize=True).to(device)
    except Exception as error:  # a truncated file makes torch.load raise anything
        why = f"{type(error).__name__}: {str(error).splitlines()[0]}" if str(error) else repr(error)
        raise WeightsError(
            f"lpips: AlexNet's weights could not be loaded or downloaded ({why}); fetch {url} by "
            f"other means and put it at {target} (TORCH_HOME moves that), or leave lpips out"
        ) from error

    def distance(sr: Picture, hr: Picture, border: int) -> float:
        pair = [to_tensor(each).to(device) for each in inside(sr, hr, border=border)]
        with torch.inference_mode():
            value = float(metric(*pair))
        metric.reset()
        return value

    return distance
