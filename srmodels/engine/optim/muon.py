"""Muon: steps of equal length in all directions of a layer's weight matrix.

Keller Jordan et al. Muon: An optimizer for hidden layers in neural networks. 2024.
https://kellerjordan.github.io/posts/muon/. A layer's averaged gradient is replaced by the nearest
matrix with singular values near 1 (0.7 to 1.2). A convolution is a matrix (out channels, in
channels * kernel). Adam trains biases and layers with fewer than 16 input or output channels, such
as the first. PyTorch's Muon takes single matrices only, no convolutions.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from srmodels.errors import ConfigError

_MIN_CHANNELS = 16  # of a hidden layer's input and output
_MOMENTUM = 0.95
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration, as published
_ITERATIONS = 5


def is_hidden(parameter: Tensor) -> bool:
    """Whether this is the weight of a layer with 16 or more input and output channels."""
    return parameter.ndim > 1 and min(parameter.shape[:2]) >= _MIN_CHANNELS


def orthogonalize(matrices: Tensor) -> Tensor:
    """(N, rows, columns) with singular values near 1, by Newton-Schulz on the Gram matrix."""
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    wide = matrices.mT if tall else matrices
    wide = wide / (wide.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    gram = wide @ wide.mT
    rotation = torch.eye(gram.shape[-1], device=gram.device)
    for _ in range(_ITERATIONS):
        factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal(dim1=-2, dim2=-1).add_(a)
        rotation, gram = factor @ rotation, factor @ gram @ factor
    orthogonal: Tensor = rotation @ wide
    return orthogonal.mT if tall else orthogonal


class Muon(torch.optim.Adam):
    """Muon with rate `hidden_lr` for hidden layers (a group with a "factor"), Adam for the rest."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        hidden_lr: float,
        betas: tuple[float, float],
        fused: bool | None,
    ) -> None:
        everything = [*parameters]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in everything if is_hidden(p) == hidden], "hidden": hidden}
            for hidden in (True, False)
        ]
        if not groups[0]["params"]:
            raise ConfigError(
                "optimizer.muon_learning_rate: no layer is Muon's (got no weight with "
                f"{_MIN_CHANNELS} or more input and output channels). Set 0 or a wider network."
            )
        groups[0] |= {"lr": hidden_lr, "factor": hidden_lr / lr}
        super().__init__(
            [group for group in groups if group["params"]], lr=lr, betas=betas, fused=fused
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # noqa: ANN401 - as in PyTorch
        """Moves every parameter that has a gradient; deletes hidden layers' gradients."""
        assert closure is None, "gradients are computed before"
        for group in self.param_groups:
            if group["hidden"]:
                self._move(group["params"], group["lr"])
        return super().step()

    def _move(self, parameters: list[nn.Parameter], rate: float) -> None:
        by_shape = defaultdict(list)
        for parameter in parameters:
            if parameter.grad is not None:
                by_shape[parameter.shape[0], parameter[0].numel()].append(parameter)
        for (rows, columns), group in by_shape.items():
            updates = torch.stack([self._momentum(p).reshape(rows, columns) for p in group])
            scale = max(1, rows / columns) ** 0.5
            for parameter, update in zip(group, orthogonalize(updates), strict=True):
                parameter.sub_(update.view(parameter.shape), alpha=rate * scale)
                parameter.grad = None  # so that Adam leaves it alone

    def _momentum(self, parameter: nn.Parameter) -> Tensor:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None, "parameters without a gradient do not move"
        if not state:
            state["step"] = torch.tensor(0.0)  # Adam's load_state_dict needs it
            state["momentum"] = torch.zeros_like(gradient)
        state["step"] += 1
        momentum: Tensor = state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
        return gradient.lerp(momentum, _MOMENTUM)
