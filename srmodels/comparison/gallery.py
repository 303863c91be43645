"""The pictures of the report: every experiment's SR of the same test images."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from srmodels.comparison.experiment import OWN_SET, Experiment
from srmodels.comparison.sample_images import Generator, ImageOptions, SampleImage, upscale_images
from srmodels.errors import SrmodelsError, WeightsError
from srmodels.evaluation.scores import BASELINE
from srmodels.images.readers.folder import photo_files


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Test images by several generators."""

    images: Sequence[SampleImage]
    # positions of the experiments with an SR in each image, in the images' order
    shown: Sequence[int]
    speeds: Mapping[int, float]  # SR megapixels per second, by an experiment's position
    reasons: Sequence[str]  # why experiments, or all images, are not shown; a sentence each


def _dvc_get(commit: str, path: str, target: Path, *, root: Path) -> None:
    """Gets an output of a commit from DVC's cache or remotes; a WeightsError if nobody has it."""
    done = subprocess.run(  # noqa: S603 - no shell; the commit is a hash
        [sys.executable, *f"-m dvc get . {path} --rev {commit} -o".split(), str(target)],
        cwd=root,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode or not target.exists():
        lines = [line.removeprefix("ERROR: ") for line in done.stderr.split("\n") if line.strip()]
        reason = lines[0] if lines else "dvc get wrote no file"
        raise WeightsError(f"{path} cannot be fetched ({reason})")


def find_test_images(experiment: Experiment, given: Path, folder: Path, *, root: Path) -> Path:
    """The folder of an experiment's test images: `given` if it has them, else in `folder`."""
    names = set(experiment.scores(OWN_SET, BASELINE).index)
    here = {path.stem for path in photo_files(given)} if given.is_dir() else set()
    if names <= here or not experiment.files.commit:
        return given
    target = folder / OWN_SET
    try:
        _dvc_get(experiment.files.commit, "data/patches/test", target, root=root)
    except WeightsError:
        return given  # which the gallery then says to lack pictures
    return target


def _fetch_weights(experiment: Experiment, folder: Path, *, root: Path) -> Path:
    """Writes the row's weights to a file in `folder`, from disk or DVC's cache and remotes."""
    row = experiment.row
    if row not in {"pretrained", "generator"}:
        raise WeightsError(f"the row {row} has no weights of its own")
    path, target = f"weights/{row}.safetensors", folder / f"{row}.safetensors"
    weights, commit = experiment.files.read(path), experiment.files.commit
    if weights is not None:
        target.write_bytes(weights)
        return target
    if not commit:
        raise WeightsError(f"no {path} beside its scores")
    _dvc_get(commit, path, target, root=root)
    return target


def _load_generators(
    experiments: Sequence[Experiment], load: Callable[[Path], Generator], root: Path
) -> tuple[dict[int, Generator], list[str]]:
    generators: dict[int, Generator] = {}
    reasons = []
    progress = tqdm(experiments, "weights", disable=None, unit="experiment")
    for position, experiment in enumerate(progress):
        try:
            with TemporaryDirectory() as folder:
                generator = load(_fetch_weights(experiment, Path(folder), root=root))
        except WeightsError as error:
            reasons.append(f"{experiment.label}: {error}")
            continue
        scale = next(iter(generators.values()), generator).scale
        if generator.scale == scale:
            generators[position] = generator
        else:
            reasons.append(f"{experiment.label}: its scale is {generator.scale}, others' {scale}")
    return generators, reasons


def build_gallery(
    experiments: Sequence[Experiment],
    options: ImageOptions,
    *,
    load: Callable[[Path], Generator],
    root: Path,
) -> Gallery:
    """Upscales the test images by every experiment's generator, if it has usable weights."""
    generators: dict[int, Generator] = {}
    reasons: list[str] = []
    images: list[SampleImage] = []
    speeds: list[float] = []
    if options.pictures:
        generators, reasons = _load_generators(experiments, load, root)
    if generators:
        try:
            images, speeds = upscale_images(list(generators.values()), options)
        except SrmodelsError as error:
            reasons.append(str(error))
    return Gallery(
        images=images,
        shown=list(generators) if images else [],
        speeds=dict(zip(generators, speeds, strict=False)),
        reasons=reasons,
    )
