"""The command `srmodels machine`: what speed and rounding depend on."""

import platform
from collections.abc import Mapping

import typer

from srmodels import __version__
from srmodels.machine import bf16_is_fast, cores

__all__ = ["describe", "facts", "machine"]

_FORMS = {
    "gpu": "{}",
    "processor": "{}",
    "instructions": "{}",
    "cores": "cores: {}",
    "threads": "threads: {}",
    "torch": "PyTorch {}",
}


def facts() -> dict[str, str | int]:
    """GPU, processor, instruction sets, cores, threads and PyTorch of this process."""
    import torch  # here, so that the command line starts at once

    cpu = torch.cpu.get_capabilities()
    sets = [torch.backends.cpu.get_cpu_capability()]
    sets += [name for name in ("avx512_bf16", "amx_bf16") if cpu.get(name)]
    gpu = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    return {
        **gpu,
        "processor": str(cpu.get("cpu_name") or platform.machine()),
        "instructions": " + ".join(name.upper().replace("_", "-") for name in sets),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def describe(machine: Mapping[str, object]) -> str:
    """One line of `facts`, or of as many of them as an older file has."""
    return ", ".join(form.format(machine[key]) for key, form in _FORMS.items() if key in machine)


def machine() -> None:
    """Print this machine's processor, instruction sets, cores and versions, for a report."""
    found = facts()
    kinds = ("cuda", "cpu") if "gpu" in found else ("cpu",)
    speeds = ", ".join(f"{'fast' if bf16_is_fast(kind) else 'slow'} on {kind}" for kind in kinds)
    typer.echo(f"{describe(found)}; bfloat16 is {speeds}")
    typer.echo(
        f"srmodels {__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}"
    )
