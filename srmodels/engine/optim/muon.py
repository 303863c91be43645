"""Muon: where a layer is a matrix, steps that are of one length in all its directions.

Keller Jordan, Yuchen Jin, Vlado Boza, Jiacheng You, Franz Cesista, Laker Newhouse, Jeremy
Bernstein. Muon: An optimizer for hidden layers in neural networks. 2024.
https://kellerjordan.github.io/posts/muon/

A layer's gradient, averaged over the steps, is replaced by the nearest matrix whose singular values
are all 1 (nearly: between 0.7 and 1.2), so that directions in which the gradient is small are
learnt, too. Convolutions are matrices of (feature maps out, feature maps in * kernel). Biases
and layers of fewer than 16 channels on a side, such as the first, stay Adam's; a last layer before
a PixelShuffle may have more, and is then Muon's.
PyTorch's own Muon takes matrices only, no convolutions, and one at a time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from srmodels.errors import ConfigError

__all__ = ["Muon", "is_hidden", "orthogonal"]

_FEWEST = 16  # channels of a hidden layer, on either side
_MOMENTUM = 0.95
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration, as published
_ITERATIONS = 5


def is_hidden(parameter: Tensor) -> bool:
    """Whether it is the weight of a layer with 16 channels or more, both in and out."""
    return parameter.ndim > 1 and min(parameter.shape[:2]) >= _FEWEST


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest matrices with singular values near 1, by a Newton-Schulz iteration.

    All its polynomials are in the Gram matrix, so that only the first and the last product are as
    long as a layer's rows: a third of the time.

    Args:
        matrices: (N, rows, columns), float32.

    Returns:
        The same shape; zero stays zero.
    """
    a, b, c = _COEFFICIENTS
    lying = matrices if matrices.shape[-2] <= matrices.shape[-1] else matrices.mT
    lying = lying / (lying.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    gram = lying @ lying.mT
    turned = torch.eye(gram.shape[-1], device=gram.device)
    for _ in range(_ITERATIONS):
        factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal(dim1=-2, dim2=-1).add_(a)
        turned, gram = factor @ turned, factor @ gram @ factor
    found: Tensor = turned @ lying
    return found if matrices.shape[-2] <= matrices.shape[-1] else found.mT


class Muon(torch.optim.Adam):
    """Muon for hidden layers, Adam for the rest.

    A parameter group may have a "factor": its rate is the schedule's times that.

    Args:
        parameters: Of any kind; `is_hidden` tells whose they are.
        lr: Adam's rate, at its highest.
        hidden_lr: Muon's, at its highest.
        betas: Adam's.
        fused: Adam's.

    Raises:
        ConfigError: No layer is hidden.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        hidden_lr: float,
        betas: tuple[float, float],
        fused: bool | None,
    ) -> None:
        all_of_them = [*parameters]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in all_of_them if is_hidden(p) == hidden], "hidden": hidden}
            for hidden in (True, False)
        ]
        if not groups[0]["params"]:
            raise ConfigError(
                "optimizer.muon_learning_rate: no layer is Muon's (found no weight of "
                f"{_FEWEST} channels or more both in and out); 0 would be right, or a wider network"
            )
        groups[0] |= {"lr": hidden_lr, "factor": hidden_lr / lr}
        super().__init__(
            [each for each in groups if each["params"]], lr=lr, betas=betas, fused=fused
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # noqa: ANN401 - as in PyTorch
        """Moves every parameter that has a gradient; hidden layers' gradients are used up."""
        assert closure is None, "gradients are computed before"
        for group in self.param_groups:
            if group["hidden"]:
                self._move(group["params"], group["lr"])
        return super().step()

    def _move(self, parameters: list[nn.Parameter], rate: float) -> None:
        alike = defaultdict(list)
        for parameter in parameters:
            if parameter.grad is not None:
                alike[parameter.shape[0], parameter[0].numel()].append(parameter)
        for (rows, columns), those in alike.items():
            steps = torch.stack([self._averaged(each).reshape(rows, columns) for each in those])
            lengths = max(1, rows / columns) ** 0.5
            for parameter, change in zip(those, orthogonal(steps), strict=True):
                parameter.sub_(change.view(parameter.shape), alpha=rate * lengths)
                parameter.grad = None  # so that Adam leaves it where it is

    def _averaged(self, parameter: nn.Parameter) -> Tensor:
        """The gradient, averaged over the steps and looking one ahead (Nesterov)."""
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None, "only these are moved"
        if not state:
            state["step"] = torch.tensor(0.0)  # Adam's own loading asks for it
            state["momentum"] = torch.zeros_like(gradient)
        state["step"] += 1
        momentum: Tensor = state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
        return gradient.lerp(momentum, _MOMENTUM)
