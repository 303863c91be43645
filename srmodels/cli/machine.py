"""The command `srmodels machine`: what speed and rounding depend on."""

import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from ruamel.yaml import YAML

from srmodels import __version__
from srmodels.machine import bf16_is_fast, cores, repository

__all__ = ["describe", "facts", "machine", "training_times"]

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


def training_times(root: Path) -> str | None:
    """Minutes that the weights of a repository trained, here and in its table of recipes.

    None if the recipe has no row in that preset, or MLflow has no times of these weights.
    """
    from srmodels.runs.times import minutes_by_weights

    settings = YAML(typ="safe").load(root / "params.yaml")
    row, weights = (
        root / "metrics" / "recipes" / f"{settings['model']}.json",
        root / "weights" / "generator.safetensors",
    )
    if not (row.is_file() and weights.is_file()):
        return None
    documented = json.loads(row.read_text(encoding="utf-8"))
    digest = hashlib.md5(weights.read_bytes(), usedforsecurity=False).hexdigest()
    minutes = minutes_by_weights(root).get(digest)
    if documented["preset"] != settings["preset"] or minutes is None:
        return None
    there = sum(phase["minutes"] for phase in documented["training"].values())
    return (
        f"training took {minutes:.1f} minutes here, {there:.1f} where the tables were made: "
        f"{documented['device']}"
    )


def machine(
    training: Annotated[
        bool, typer.Option("--training", help="Also the minutes that the weights here trained.")
    ] = False,
) -> None:
    """Print this machine's processor, instruction sets, cores and versions, for a report."""
    found = facts()
    kinds = ("cuda", "cpu") if "gpu" in found else ("cpu",)
    speeds = ", ".join(f"{'fast' if bf16_is_fast(kind) else 'slow'} on {kind}" for kind in kinds)
    typer.echo(f"{describe(found)}; bfloat16 is {speeds}")
    typer.echo(
        f"srmodels {__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}"
    )
    if training and (times := training_times(repository())):
        typer.echo(times)
