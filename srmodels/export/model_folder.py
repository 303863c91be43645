"""The folder that publishes a generator: every form it has, its settings and its model card."""

import dataclasses
import json
import logging
from pathlib import Path

from srmodels.atomic import write_bytes
from srmodels.errors import ConfigError
from srmodels.export.export import FORMS, ExportFormat, export
from srmodels.export.model_card import UNKNOWN, model_card
from srmodels.export.provenance import provenance_of
from srmodels.snapshot import Snapshot

__all__ = ["write_folder"]

log = logging.getLogger(__name__)


def write_folder(
    of: Snapshot,
    folder: Path,
    *,
    weights: Path,
    license: str = UNKNOWN,  # noqa: A002 - the field's name
) -> dict[ExportFormat, Path]:
    """Writes generator.safetensors, .pth, .onnx, .pt2, config.json and README.md.

    Args:
        of: The generator, as `export.read` gives it.
        folder: Made where it is not there; other files in it stay.
        weights: The file it was read from, for what dvc.lock knows of it.
        license: The weights' licence, as Hugging Face names it.

    Returns:
        The files by form; a form that the network does not have is left out, and the log says so.

    Raises:
        ConfigError: An extra is missing, or the folder holds the weights themselves.
        OSError: A file cannot be written.
    """
    if folder.is_file() or weights.resolve().parent == folder.resolve():
        raise ConfigError(f"-o {folder}: is a file, or holds the weights; name a folder of its own")
    files: dict[ExportFormat, Path] = {}
    for form in FORMS:
        path = folder / f"generator.{form}"
        try:
            export(of, path, form=form)
        except ConfigError as error:
            if form != "pth":
                raise
            path.unlink(missing_ok=True)  # an older generator's
            log.info("left out: %s", error)
            continue
        files[form] = path
    settings = dataclasses.asdict(of.settings)  # type: ignore[call-overload]
    config = {"network": of.name, "settings": settings}
    write_bytes(folder / "config.json", (json.dumps(config, indent=2) + "\n").encode())
    card = model_card(of, files=files, origin=provenance_of(weights), license=license)
    write_bytes(folder / "README.md", card.encode())
    if license == UNKNOWN:
        log.warning("%s: the licence is unknown; set --license", folder / "README.md")
    return files
