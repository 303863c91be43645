"""The commands `srmodels evaluate` and `srmodels scores`: score a generator, print scores."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from srmodels.cli.options import Device, Tile
from srmodels.errors import ConfigError, DataError, PhotoError
from srmodels.machine import let_idle_threads_sleep, repository

__all__ = ["evaluate", "print_scores"]

_BICUBIC = "bicubic"
_DEFAULT_SCALE = 4

_Read = TypeVar("_Read")


def _broken_pictures(folder: Path) -> list[str]:
    """Every picture below a folder that cannot be decoded, with its path and the reason."""
    from srmodels.images.readers.decode import decode
    from srmodels.images.readers.folder import photo_files

    found = []
    for path in photo_files(folder):
        try:
            decode(path)
        except PhotoError as error:
            reason = str(error).removeprefix(f"{path.name}: ").removesuffix(".")
            found.append(f"{path}: {reason}")
    return found


def _or_all_broken(folder: Path, read: Callable[[Path], _Read]) -> _Read:
    """What `read` reads from a folder, or an error that names all its broken pictures.

    Nothing is scored then: a mean over the others would not be comparable.
    """
    from srmodels.images.readers.folder import photo_files

    try:
        return read(folder)
    except PhotoError:
        broken = _broken_pictures(folder)
        if not broken:  # mended meanwhile, or a fault of something else
            raise
        raise DataError(
            f"{folder}: {len(broken)} of {len(photo_files(folder))} pictures cannot be read (got "
            f"{'; '.join(broken)}). Mend or remove them."
        ) from None


def _score_without_reference(folder: Path, output: Path | None) -> None:
    from srmodels.atomic import write_bytes
    from srmodels.evaluation.no_reference import no_reference_metrics, no_reference_table
    from srmodels.images.readers.folder import whole_images

    images = _or_all_broken(folder, whole_images)
    if not images:
        raise DataError(f"{folder}: no picture to score. Name a folder of images.")
    metrics = no_reference_metrics(images)
    typer.echo(no_reference_table(metrics))
    if output is not None:
        target = output / f"{folder.name}-niqe.json" if output.is_dir() else output
        write_bytes(target, (json.dumps(metrics, indent=2) + "\n").encode())


def _open_generators(
    final: Path, pretrained: Path | None, strengths: Sequence[float], options: dict[str, Any]
) -> dict[str, Any]:
    """The generators by row name; mixtures need files of this project."""
    from srmodels.inference.weights.open_weights import load_for_evaluation, open_weights

    if strengths:
        return dict(
            load_for_evaluation(final, pretrained=pretrained, strengths=strengths, **options)
        )
    files = {"pretrained": pretrained, "generator": final}
    return {name: open_weights(path, **options) for name, path in files.items() if path}


def evaluate(  # noqa: PLR0917 - typer passes them by name
    weights: Annotated[
        str,
        typer.Argument(help="A file of weights, a name of `srmodels weights`, or bicubic."),
    ] = "",
    data: Annotated[
        str,
        typer.Option(help="A folder of HR images, or Set5, Set14, BSD100, Urban100 or DIV2K-val."),
    ] = "",
    lr: Annotated[
        Path | None,
        typer.Option(help="Folder of LR images, paired by name. Default: downscaled HR."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--json", metavar="OUT", help="File or folder for scores and protocol."),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=8,
            help="Scale of bicubic.",
            show_default=f"{_DEFAULT_SCALE}, or the scale of the weights",
        ),
    ] = None,
    pretrained: Annotated[
        Path | None, typer.Option(help="The generator's initial weights, for a row of their own.")
    ] = None,
    strength: Annotated[
        list[float] | None,
        typer.Option(help="Also mixed weights: the share of WEIGHTS, the rest --pretrained's."),
    ] = None,
    self_ensemble: Annotated[
        bool,
        typer.Option("--self-ensemble", help="Add a row +x8, the mean over 8 flips and rotations."),
    ] = False,
    perceptual: Annotated[bool, typer.Option(help="Also LPIPS and DISTS.")] = True,
    niqe: Annotated[bool, typer.Option("--niqe", help="Also NIQE.")] = False,
    degraded: Annotated[
        bool, typer.Option("--degraded", help="LR blurred, noisy and compressed, always the same.")
    ] = False,
    no_reference: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="NIQE of images without HR, instead of the above."),
    ] = None,
    samples: Annotated[int, typer.Option(help="Samples per image of a VAE; 0 for none.")] = 5,
    tile: Tile = 256,
    device: Device = "auto",
    precision: Annotated[
        Literal["fp32", "bf16"], typer.Option(help="bf16 is faster on recent processors.")
    ] = "fp32",
) -> None:
    """Score a generator on whole images and compare it with bicubic."""
    let_idle_threads_sleep()
    if no_reference is not None:
        _score_without_reference(no_reference, output)
        return
    from srmodels.atomic import write_bytes
    from srmodels.config import check
    from srmodels.data.datasets.benchmarks import find_set, lr_pictures
    from srmodels.data.degradation.pictures import DEGRADED, degraded_pictures
    from srmodels.evaluation.perceptual import open_perceptual
    from srmodels.evaluation.protocol import ENSEMBLE
    from srmodels.evaluation.report import metrics_of
    from srmodels.evaluation.samples import Sampling
    from srmodels.evaluation.settings import RESERVED, EvaluateSettings
    from srmodels.evaluation.table import short_table
    from srmodels.images.readers.folder import whole_images
    from srmodels.inference.generators.self_ensemble import add_self_ensemble
    from srmodels.inference.weights.registry import weights_file
    from srmodels.machine import resolve_device

    strengths = tuple(strength or ())
    if not (weights and data):
        raise ConfigError("evaluate: no WEIGHTS or no --data. Give both, or --no-reference FOLDER.")
    options = {"strengths": strengths, "samples": samples, "tile": tile, "perceptual": perceptual}
    check({**options, "niqe": niqe}, EvaluateSettings, "evaluate")
    if degraded and lr:
        raise ConfigError("--degraded: makes LR itself (got --lr, too). Leave one out.")
    generators: dict[str, Any] = {}
    if weights != _BICUBIC:
        generators = _open_generators(
            weights_file(weights, also=[_BICUBIC]),
            pretrained,
            strengths,
            {"device": resolve_device(device), "tile": tile, "precision": precision},
        )
        weights_scale = generators["generator"].scale
        if scale not in (None, weights_scale):
            raise ConfigError(
                f"--scale: these weights upscale {weights_scale} times (got {scale}). Omit --scale."
            )
        scale = weights_scale
    elif pretrained is not None or strengths or self_ensemble:
        raise ConfigError(
            "bicubic: has no weights (got --pretrained, --strength or --self-ensemble). Name a "
            "generator's file."
        )
    scale = scale or _DEFAULT_SCALE
    set_name, folder = find_set(data, data=repository() / "data")  # may download, so comes last
    if set_name in RESERVED[1:]:
        raise ConfigError(
            f"--data: {set_name} is a key of the metrics file (got {folder}). Rename the folder."
        )
    images = _or_all_broken(folder, whole_images)
    pairs = partial(lr_pictures, [file for file, _ in images], scale=scale)
    set_name += DEGRADED if degraded else ""
    metrics, _ = metrics_of(
        add_self_ensemble(generators) if self_ensemble else generators,
        {set_name: images},
        scale=scale,
        lr={set_name: _or_all_broken(lr, pairs)} if lr else None,
        degraded={set_name: degraded_pictures(images, scale)} if degraded else None,
        perceptual=open_perceptual(device=resolve_device(device), niqe=niqe)
        if perceptual
        else None,
        sampling=Sampling(number=samples),
        strengths=strengths,
    )
    typer.echo(short_table(metrics))
    if output is not None:
        if output.is_dir():
            suffix = ENSEMBLE if self_ensemble else ""
            suffix += "".join(f"+strength{share:g}" for share in strengths)
            output /= f"{Path(weights).stem}{suffix}-{set_name}.json"
        write_bytes(output, (json.dumps(metrics, indent=2) + "\n").encode())


def print_scores(
    file: Annotated[
        Path, typer.Argument(help="A metrics file.", show_default="metrics/evaluate.json")
    ] = Path("metrics/evaluate.json"),
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Print a metrics file as a short table."""
    from srmodels.evaluation.table import read_metrics, short_table

    typer.echo(short_table(read_metrics(file), markdown=markdown))
