"""Where and how precisely a training computes: one Lightning Fabric, chosen once and said aloud."""

import logging
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from srmodels.distributed import collectives
from srmodels.distributed.launcher import launch
from srmodels.engine.fabric import DDPStrategy, Fabric, MixedPrecision
from srmodels.engine.run_settings import Precision, RunSettings
from srmodels.errors import ConfigError
from srmodels.machine import bf16_is_fast, keep_freed_memory

__all__ = ["fabric_for", "keep_freed_memory", "to_channels_last", "unscale"]

log = logging.getLogger(__name__)


class _Mixed(MixedPrecision):  # type: ignore[misc]  # Fabric is not typed for mypy here
    """Autocast that leaves the inputs in float32: bfloat16 would round a picture to 1/256.

    In float16 all players of a step have one loss scale, which changes between two steps only;
    Fabric's own would change it after each player, and the next one's gradients with it.
    """

    _moved = False

    def convert_input(self, data: Any) -> Any:  # noqa: ANN401 - as in the base class
        """Leaves all as it is; autocast casts where a layer computes in half precision."""
        return data

    def backward(self, tensor: Tensor, model: nn.Module | None, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Scales the loss, by what the steps before have taught."""
        self._settle()
        super().backward(tensor, model, *args, **kwargs)

    def unscale_gradients(self, optimizer: torch.optim.Optimizer) -> None:
        """Takes the scale out of the gradients; a fused optimizer's, too."""
        if self.scaler is not None:
            self._moved = True
            self.scaler.unscale_(optimizer)

    def optimizer_step(self, optimizer: torch.optim.Optimizer, **kwargs: Any) -> Any:  # noqa: ANN401
        """Moves the player, unless its gradients overflowed."""
        if self.scaler is None:
            return super().optimizer_step(optimizer, **kwargs)
        self._moved = True
        return self.scaler.step(optimizer, **kwargs)

    def state_dict(self) -> dict[str, Any]:
        """The scale with which the next step begins; empty where there is none."""
        self._settle()
        state: dict[str, Any] = super().state_dict()
        return state

    def _settle(self) -> None:
        if self._moved:
            self.scaler.update()
        self._moved = False


def _device(wanted: str) -> str:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next((name for name, there in available.items() if there), "cpu")
    if not available.get(wanted, True):
        raise ConfigError(f"run.device: found {wanted!r}, which PyTorch does not see; use auto")
    return wanted


def _precision(wanted: Precision, device: str) -> Precision:
    if wanted == "auto":
        return "bf16-mixed" if bf16_is_fast(device) else "32-true"
    if wanted == "16-mixed" and device != "cuda":
        raise ConfigError(
            f"training.precision: found '16-mixed', which is slow on {device}; it is meant for "
            "CUDA GPUs older than bfloat16. Use auto"
        )
    return wanted


class _Unwrapped(DDPStrategy):  # type: ignore[misc]  # Fabric is not typed for mypy here
    """Processes as for DistributedDataParallel, without it; the module `step` says why."""

    def setup_module(self, module: nn.Module) -> nn.Module:
        """Leaves it as it is."""
        return module


def _fabric(run: RunSettings, device: str, plugins: list[MixedPrecision]) -> Fabric:
    """The Fabric of one process, or of the several that were launched or are to be."""
    found = launch()
    here = found.here if found.processes > 1 else run.devices
    if max(found.processes, here) == 1:
        return Fabric(accelerator=device, devices=1, plugins=plugins)
    most = torch.cuda.device_count() if device == "cuda" else 1 if device == "mps" else here
    if here > most:
        raise ConfigError(
            f"run.devices: found {here} processes for {most} device(s) of the kind {device}; "
            f"{most} or fewer would be right"
        )
    return Fabric(
        accelerator=device,
        devices=here,
        num_nodes=max(1, found.processes // here),
        strategy=_Unwrapped(timeout=timedelta(seconds=run.answer_seconds)),
        plugins=plugins,
    )


def fabric_for(run: RunSettings, precision: Precision) -> Fabric:
    """The Fabric for this process on the chosen device; with several, all have met afterwards.

    Args:
        run: The device wanted, how many, and how long processes wait for each other.
        precision: "auto" is "bf16-mixed" where the device is fast at it, "32-true" elsewhere;
            "16-mixed", with a scaled loss, only by name.

    Raises:
        ConfigError: The device asked for by name is not there or not often enough, or it is not
            made for this precision.
    """
    device = _device(run.device)
    precision = _precision(precision, device)
    if device == "cpu":
        keep_freed_memory()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it would say the same again
    plugins = [] if precision == "32-true" else [_Mixed(precision, device)]
    fabric = _fabric(run, device, plugins)
    fabric.launch()
    collectives.begin(timedelta(seconds=run.answer_seconds))
    many = f"{collectives.world_size()} processes, " if collectives.world_size() > 1 else ""
    threads = torch.get_num_threads()
    log.info("%sdevice %s, precision %s, %d threads", many, device, precision, threads)
    return fabric


def unscale(fabric: Fabric, optimizer: torch.optim.Optimizer) -> bool:
    """Takes float16's loss scale out of an optimizer's gradients, to measure or to clip them.

    Returns:
        Whether there is a scale. Gradients that are not finite are then no fault: such a step is
        not to be taken, and the next one's scale is smaller.
    """
    precision = fabric.strategy.precision
    if getattr(precision, "scaler", None) is None:
        return False
    precision.unscale_gradients(getattr(optimizer, "optimizer", optimizer))
    return True


def to_channels_last(network: nn.Module) -> nn.Module:
    """The network, its weights in the order of memory it computes fastest in.

    That is channels last for convolutions; a network made of other things has an attribute
    `channels_last` that is False.
    """
    if getattr(network, "channels_last", True):
        return network.to(memory_format=torch.channels_last)
    return network
