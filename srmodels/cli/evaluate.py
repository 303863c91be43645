"""The commands `srmodels evaluate` and `srmodels scores`: score a generator, print scores."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from srmodels.cli.options import Device, Precision, PrecisionName, Tile
from srmodels.errors import ConfigError
from srmodels.machine import repository

if TYPE_CHECKING:
    from srmodels.inference.generators.generator import Generator

__all__ = ["evaluate", "print_scores"]

_BICUBIC = "bicubic"
_SCALE = 4


def _generators(
    weights: Path,
    pretrained: Path | None,
    alpha: float | None,
    *,
    device: str,
    tile: int,
    precision: PrecisionName,
) -> "dict[str, Generator]":
    """What is compared, by the names of the rows; only weights of ours can be mixed."""
    from srmodels.inference.tiling.device import resolve_device
    from srmodels.inference.weights.open import load_for_evaluation, open_weights

    chosen = resolve_device(device)
    if alpha is not None:
        return load_for_evaluation(
            weights,
            pretrained=pretrained,
            alpha=alpha,
            device=chosen,
            tile=tile,
            precision=precision.value,
        )
    files = {"generator": weights}
    if pretrained is not None:
        files = {"pretrained": pretrained, **files}
    return {
        name: open_weights(path, device=chosen, tile=tile, precision=precision.value)
        for name, path in files.items()
    }


def _scale(wanted: int | None, generators: "dict[str, Generator]") -> int:
    """The scale of the weights; of bicubic alone the one asked for."""
    if not generators:
        return wanted or _SCALE
    scale = generators["generator"].scale
    if wanted not in (None, scale):
        raise ConfigError(
            f"--scale: these weights enlarge {scale} times (found {wanted}); leave it out, or give "
            "weights for that scale"
        )
    return scale


def _target(output: Path, weights: str, name: str, *, ensemble: bool, alpha: float | None) -> Path:
    """OUT, or in a folder OUT a file whose name says what was scored how."""
    if not output.is_dir():
        return output
    from srmodels.evaluation.protocol import ENSEMBLE

    how = (ENSEMBLE if ensemble else "") + ("" if alpha is None else f"+alpha{alpha:g}")
    return output / f"{Path(weights).stem}{how}-{name}.json"


def evaluate(  # noqa: PLR0917 - typer names them
    weights: Annotated[
        str, typer.Argument(help="A generator's file, ours or a public one; or bicubic.")
    ],
    data: Annotated[
        str,
        typer.Option(
            help="A folder of HR pictures, or Set5, Set14, BSD100, Urban100 or DIV2K-val."
        ),
    ],
    lr: Annotated[
        Path | None,
        typer.Option(help="Their LR pictures, paired by name; without it LR is made of HR."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="OUT", help="File, or folder, for the scores and their protocol."
        ),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(min=2, max=8, help="For bicubic.", show_default=f"{_SCALE}, or the weights'"),
    ] = None,
    pretrained: Annotated[
        Path | None, typer.Option(help="The weights the generator began with, for their own row.")
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(help="The generator's share in a mixture with --pretrained's weights."),
    ] = None,
    self_ensemble: Annotated[
        bool,
        typer.Option("--self-ensemble", help="Also the mean over 8 flips and turns, as +x8."),
    ] = False,
    lpips: Annotated[
        bool, typer.Option("--lpips", help="Also LPIPS, which downloads AlexNet's weights.")
    ] = False,
    samples: Annotated[int, typer.Option(help="Of a VAE, for each picture; 0 for none.")] = 5,
    tile: Tile = 256,
    device: Device = "auto",
    precision: Precision = PrecisionName.FP32,
) -> None:
    """Score a generator on whole pictures, bicubic beside it."""
    from srmodels.atomic import write_bytes
    from srmodels.config import check
    from srmodels.data.datasets.benchmarks import find_set, lr_pictures
    from srmodels.evaluation.lpips import open_lpips
    from srmodels.evaluation.report import metrics_of
    from srmodels.evaluation.samples import Sampling
    from srmodels.evaluation.settings import RESERVED, EvaluateSettings
    from srmodels.evaluation.table import short_table
    from srmodels.images.readers.folder import whole_images
    from srmodels.inference.generators.self_ensemble import add_self_ensemble
    from srmodels.inference.tiling.device import resolve_device

    check({"alpha": alpha, "samples": samples, "tile": tile}, EvaluateSettings, "evaluate")
    name, folder = find_set(data, data=repository() / "data")
    if name in RESERVED[1:]:
        raise ConfigError(
            f"--data: {name} is a key of the metrics file, not a name for a set (found {folder}); "
            "rename the folder"
        )
    generators: dict[str, Any] = {}
    if weights != _BICUBIC:
        generators = dict(
            _generators(
                Path(weights), pretrained, alpha, device=device, tile=tile, precision=precision
            )
        )
    elif pretrained is not None or alpha is not None or self_ensemble:
        raise ConfigError(
            "bicubic: has no weights to mix, to compare or to ask eight times (found --pretrained, "
            "--alpha or --self-ensemble); a generator's file has"
        )
    scale = _scale(scale, generators)
    images = whole_images(folder)
    metrics, _ = metrics_of(
        add_self_ensemble(generators) if self_ensemble else generators,
        {name: images},
        scale=scale,
        lr={name: lr_pictures([each for each, _ in images], lr, scale=scale)} if lr else None,
        lpips=open_lpips(device=resolve_device(device)) if lpips else None,
        sampling=Sampling(number=samples),
        alpha=alpha,
    )
    typer.echo(short_table(metrics))
    if output is not None:
        target = _target(output, weights, name, ensemble=self_ensemble, alpha=alpha)
        write_bytes(target, (json.dumps(metrics, indent=2) + "\n").encode())


def print_scores(
    file: Annotated[
        Path, typer.Argument(help="A metrics file.", show_default="metrics/evaluate.json")
    ] = Path("metrics/evaluate.json"),
    markdown: Annotated[bool, typer.Option("--markdown", help="As a Markdown table.")] = False,
) -> None:
    """Print the short table of a metrics file."""
    from srmodels.evaluation.table import read_metrics, short_table

    typer.echo(short_table(read_metrics(file), markdown=markdown))
