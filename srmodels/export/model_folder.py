"""A folder to publish: a generator in every format, its settings and its model card."""

import dataclasses
import json
import logging
from pathlib import Path

from srmodels.atomic import write_bytes
from srmodels.errors import ConfigError
from srmodels.export.export import FORMATS, ExportFormat, export
from srmodels.export.model_card import UNKNOWN, model_card
from srmodels.export.provenance import provenance_of
from srmodels.pretrained.generators import PUBLIC, public_name
from srmodels.snapshot import Snapshot

__all__ = ["write_folder"]

log = logging.getLogger(__name__)


def write_folder(
    generator: Snapshot,
    folder: Path,
    *,
    weights: Path,
    license: str = UNKNOWN,  # noqa: A002 - the field's name
) -> dict[ExportFormat, Path]:
    """Writes generator.safetensors, .pth, .onnx, .pt2, config.json and README.md.

    `generator` is `read_generator(weights)`; `license` is an identifier of Hugging Face, by default
    that of public weights. Returns the files by format, without .pth if the network has no public
    layout.

    Raises:
        ConfigError: An extra is missing, or the folder contains the weights themselves.
    """
    if folder.is_file() or weights.resolve().parent == folder.resolve():
        raise ConfigError(f"-o {folder}: is a file or contains the weights. Name another folder.")
    files: dict[ExportFormat, Path] = {}
    for file_format in [kind for kind in FORMATS if kind != "ncnn"]:
        path = folder / f"generator.{file_format}"
        try:
            export(generator, path, file_format=file_format)
        except ConfigError as error:
            if file_format != "pth":
                raise
            path.unlink(missing_ok=True)  # of an earlier export
            log.info("skipped %s", error)
            continue
        files[file_format] = path
    settings = dataclasses.asdict(generator.settings)  # type: ignore[call-overload]
    config = {"network": generator.name, "settings": settings}
    write_bytes(folder / "config.json", (json.dumps(config, indent=2) + "\n").encode())
    public = public_name(generator.network.state_dict())
    if public and license == UNKNOWN:
        license = PUBLIC[public].license.lower()  # noqa: A001 - the field's name
    origin = provenance_of(weights)
    card = model_card(generator, files=files, origin=origin, public=public, license=license)
    write_bytes(folder / "README.md", card.encode())
    if license == UNKNOWN:
        log.warning("%s: the licence is unknown. Set --license.", folder / "README.md")
    return files
