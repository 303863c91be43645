"""What the faults of the content loss share: VGG19 with random weights, and a generator's turn."""

from torch import nn

from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.objectives.gan import GanSettings, GanWeights, gan_turns
from srmodels.objectives.turn import Turn

__all__ = ["SIDE", "generator_turn", "vgg_settings"]

SIDE = 16  # of a crop in LR pixels; VGG19 is most of the time


def vgg_settings(layer: str) -> PerceptualSettings:
    """Of one layer; random weights are the same everywhere and need no download."""
    return PerceptualSettings(weights="random", layers={layer: 1.0}, feature_scale=1.0)


def generator_turn(
    generator: nn.Module, *, loss: Perceptual | None = None, pixel: float = 1.0
) -> tuple[Turn, ...]:
    """The generator's turn of a GAN without an adversarial term.

    Args:
        generator: Whose.
        loss: The content loss, of weight 1; None leaves it out.
        pixel: Weight of the L1 loss.
    """
    weights = GanWeights(pixel=pixel, perceptual=0.0 if loss is None else 1.0, adversarial=0.0)
    settings = GanSettings(
        pixel_loss="l1", weights=weights, perceptual=None if loss is None else loss.settings
    )
    return gan_turns(generator, nn.Identity(), settings, loss)[:1]
