"""Device, precision and processes of a training, as one Lightning Fabric."""

import logging
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from srmodels.distributed import collectives
from srmodels.distributed.launcher import launch
from srmodels.engine.fabric import DDPStrategy, Fabric, MixedPrecision
from srmodels.engine.settings import Precision, RunSettings
from srmodels.errors import ConfigError
from srmodels.machine import bf16_is_fast, keep_freed_memory, resolve_device

log = logging.getLogger(__name__)


class _MixedPrecision(MixedPrecision):  # type: ignore[misc]  # Fabric is not typed for mypy here
    """Autocast with float32 inputs, since bfloat16 would round pictures to 1/256.

    In float16 all players of a step have one loss scale, which is updated between steps only;
    Fabric's own updates it after each player, in the middle of a step.
    """

    _needs_update = False

    def convert_input(self, data: Any) -> Any:  # noqa: ANN401 - as in the base class
        return data

    def backward(self, tensor: Tensor, model: nn.Module | None, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        self._update_scale()
        super().backward(tensor, model, *args, **kwargs)

    def unscale_gradients(self, optimizer: torch.optim.Optimizer) -> None:
        """Also of fused optimizers, unlike the base class."""
        if self.scaler is not None:
            self._needs_update = True
            self.scaler.unscale_(optimizer)

    def optimizer_step(self, optimizer: torch.optim.Optimizer, **kwargs: Any) -> Any:  # noqa: ANN401
        """Moves the player, unless its gradients overflowed."""
        if self.scaler is None:
            return super().optimizer_step(optimizer, **kwargs)
        self._needs_update = True
        return self.scaler.step(optimizer, **kwargs)

    def state_dict(self) -> dict[str, Any]:
        """The loss scale of the next step; empty where there is none."""
        self._update_scale()
        state: dict[str, Any] = super().state_dict()
        return state

    def _update_scale(self) -> None:
        if self._needs_update:
            self.scaler.update()
        self._needs_update = False


class _UnwrappedStrategy(DDPStrategy):  # type: ignore[misc]  # Fabric is not typed for mypy here
    """Processes without DistributedDataParallel; `step` exchanges the gradients."""

    def setup_module(self, module: nn.Module) -> nn.Module:
        return module


class PrecisionRecord:
    """The precisions of a training, by the first step of each: "auto" chooses at every start."""

    def __init__(self, name: str) -> None:
        self.name = name  # from now on
        self.changes: dict[str, str] = {}

    def start(self, step: int) -> None:
        """Notes the precision before the first step; warns if the training began in another."""
        before = next(reversed(self.changes.values()), None)
        if before == self.name:
            return
        if before is not None:
            log.warning(
                "step %d: goes on in precision %s (began in %s), which changes the last digits of "
                "the results. Set training.precision to fix it.",
                *(step, self.name, before),
            )
        self.changes[str(step)] = self.name

    def summary(self) -> str:
        """Such as "bf16-mixed", or "bf16-mixed, 32-true from step 400"."""
        first, *others = self.changes.items()
        return ", ".join([first[1], *(f"{name} from step {step}" for step, name in others)])

    def state_dict(self) -> dict[str, str]:
        """The changes so far."""
        return dict(self.changes)

    def load_state_dict(self, state: Mapping[str, str]) -> None:
        """Restores `state_dict`."""
        self.changes = dict(state)


def _resolve_precision(precision: Precision, device: str) -> Precision:
    if precision == "auto":
        return "bf16-mixed" if bf16_is_fast(device) else "32-true"
    if precision == "16-mixed" and device != "cuda":
        raise ConfigError(
            f"training.precision: slow on {device}, meant for CUDA GPUs without bfloat16 (got "
            "'16-mixed'). Use auto."
        )
    return precision


def _fabric(run: RunSettings, device: str, plugins: list[MixedPrecision]) -> Fabric:
    launched = launch()
    local = launched.local_world_size if launched.world_size > 1 else run.devices
    if max(launched.world_size, local) == 1:
        return Fabric(accelerator=device, devices=1, plugins=plugins)
    limit = {"cuda": torch.cuda.device_count(), "mps": 1}.get(device, local)
    if local > limit:
        raise ConfigError(
            f"run.devices: there are {limit} devices of type {device} (got {local} processes). "
            f"Set {limit} or fewer."
        )
    return Fabric(
        accelerator=device,
        devices=local,
        num_nodes=max(1, launched.world_size // local),
        strategy=_UnwrappedStrategy(timeout=timedelta(seconds=run.answer_seconds)),
        plugins=plugins,
    )


def _make_deterministic() -> None:
    """Chooses CUDA kernels that give equal bytes each time, which an exact resume needs.

    An operation that has no such kernel warns once.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read at the first product
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    # a filling is meant for finding errors
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def fabric_for(run: RunSettings, precision: Precision) -> Fabric:
    """Launches this process's Fabric; "auto" is "bf16-mixed" where the device is fast at it."""
    device = resolve_device(run.device, where="run.device").type
    precision = _resolve_precision(precision, device)
    if device == "cpu":
        keep_freed_memory()
    elif device == "cuda":
        _make_deterministic()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it repeats the line below
    plugins = [] if precision == "32-true" else [_MixedPrecision(precision, device)]
    fabric = _fabric(run, device, plugins)
    fabric.launch()
    collectives.init_host_group(timedelta(seconds=run.answer_seconds))
    processes = f"{collectives.world_size()} processes, " if collectives.world_size() > 1 else ""
    threads = torch.get_num_threads()
    log.info("%sdevice %s, precision %s, %d threads", processes, device, precision, threads)
    return fabric


def unscale(fabric: Fabric, optimizer: torch.optim.Optimizer) -> bool:
    """Divides gradients by float16's loss scale; True if there is one, so they may overflow."""
    precision = fabric.strategy.precision
    if getattr(precision, "scaler", None) is None:
        return False
    precision.unscale_gradients(getattr(optimizer, "optimizer", optimizer))
    return True


def to_channels_last(network: nn.Module) -> nn.Module:
    """Converts a network's weights to channels_last, unless its attribute of that name is False."""
    if getattr(network, "channels_last", True):
        return network.to(memory_format=torch.channels_last)
    return network
