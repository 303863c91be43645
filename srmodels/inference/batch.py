"""Many picture files in, many enlarged ones out: what may be written where, and what went wrong."""

import io
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from srmodels.data.decode import decode
from srmodels.errors import ConfigError, PhotoError
from srmodels.snapshot import write_bytes

__all__ = ["plan", "upscale_files", "write_picture"]

log = logging.getLogger(__name__)

Picture = NDArray[np.uint8]

# Best quality that is still small; the network's work should not end as JPEG blocks.
_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"quality": 95, "use_sharp_yuv": True}),
    ".tif": ("TIFF", {"compression": "tiff_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_deflate"}),
}


def write_picture(path: Path, picture: Picture) -> None:
    """Writes uint8 (H, W, 3) in the format of the file's ending, whole or not at all.

    Raises:
        ConfigError: The ending is none of PNG, JPEG, WebP and TIFF.
        PhotoError: The format cannot hold the picture (JPEG and WebP have a largest size).
        OSError: The folder cannot be written to, or the disk is full.
    """
    kind, options = _format(path)
    file = io.BytesIO()
    try:
        Image.fromarray(picture).save(file, kind, **options)
    except (OSError, ValueError) as error:
        height, width = picture.shape[:2]
        raise PhotoError(
            f"{path.name}: {kind} cannot hold {width} x {height} pixels ({error}); use .png or .tif"
        ) from None
    write_bytes(path, file.getvalue())


def _format(path: Path) -> tuple[str, dict[str, Any]]:
    known = _FORMATS.get(path.suffix.lower())
    if known is None:
        raise ConfigError(f"{path}: unknown kind of picture; one of {', '.join(_FORMATS)} is right")
    return known


def plan(inputs: Sequence[Path], output: Path) -> list[tuple[Path, Path]]:
    """Which file goes where.

    Args:
        inputs: Picture files.
        output: A file for a single input, told by its ending; otherwise a folder, in which each
            result is NAME.png.

    Returns:
        Input and output, pair by pair.

    Raises:
        ConfigError: A result would overwrite an input or another result, or several inputs
            would go to one file.
    """
    as_file = bool(output.suffix) and not output.is_dir()
    if as_file and len(inputs) > 1:
        raise ConfigError(f"-o {output}: is one file for {len(inputs)} pictures; name a folder")
    if as_file:
        _format(output)
    pairs = [(path, output if as_file else output / f"{path.stem}.png") for path in inputs]
    sources = {os.path.realpath(path) for path in inputs}
    taken: dict[str, Path] = {}
    for path, target in pairs:
        real = os.path.realpath(target)
        if real in sources:
            raise ConfigError(f"{path}: its result {target} would overwrite an input; change -o")
        if real in taken:
            raise ConfigError(
                f"{path}: its result {target} is also that of {taken[real]}; "
                "enlarge them into different folders"
            )
        taken[real] = path
    return pairs


def upscale_files(
    pairs: Sequence[tuple[Path, Path]], upscale: Callable[[Picture], Picture]
) -> list[str]:
    """Enlarges files; one that cannot be does not stop the rest.

    Args:
        pairs: Input and output files, as `plan` returns them.
        upscale: uint8 (h, w, 3) to uint8 (H, W, 3).

    Returns:
        One sentence for each file that failed.

    Raises:
        SrmodelsError: Nothing of this can work, such as no memory for the smallest tile.
        OSError: A result cannot be written; what was written before stays.
    """
    failed = []
    for path, target in tqdm(pairs, "upscale", disable=None, unit="picture"):
        try:
            write_picture(target, upscale(decode(path)))
        except PhotoError as error:
            log.warning("skipped %s", error)
            failed.append(str(error))
        except MemoryError:
            failed.append(f"{path.name}: its result does not fit into memory; cut it into parts")
            log.warning("skipped %s", failed[-1])
    return failed
