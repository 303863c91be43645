"""A model card: the README.md of a folder that Hugging Face's `hf upload` takes as it is.

https://huggingface.co/docs/hub/model-cards. Its head is YAML, from which Hugging Face reads
licence, tags and scores (https://github.com/huggingface/hub-docs/blob/main/modelcard.md). What is
not known of the weights is said to be unknown.
"""

import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from srmodels.errors import ConfigError
from srmodels.evaluation.table import short_table
from srmodels.export.export import ExportFormat
from srmodels.export.provenance import Provenance
from srmodels.export.torch_export import min_input_size
from srmodels.snapshot import Snapshot

__all__ = ["UNKNOWN", "card_metadata", "check_license", "model_card"]

UNKNOWN = "unknown"

_SCORES = {"psnr_y": ("psnr", "PSNR-Y (dB)"), "ssim_y": ("ssim", "SSIM-Y")}
_USES = {
    "safetensors": '`srmodels upscale IN -o OUT --weights {file}`, or `srmodels.load("{file}")`',
    "pth": "the public layout: chaiNNer, ComfyUI and whatever else rests on spandrel",
    "onnx": "input `lr` (1, 3, H, W), output `sr`; any size from {least} pixels a side, opset 18",
    "pt2": '`torch.export.load("{file}").module()(lr)`; any size from {least} pixels a side',
}


def _scale(of: Snapshot) -> int:
    scale = of.network.scale
    assert isinstance(scale, int), f"{of.name} has a scale"
    return scale


def _files(of: Snapshot, files: Mapping[ExportFormat, Path]) -> list[str]:
    lines = ["| file | bytes | SHA-256 | for |", "|---|---:|---|---|"]
    for form, path in files.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        use = _USES[form].format(file=path.name, least=min_input_size(of.network))
        lines.append(f"| {path.name} | {path.stat().st_size} | `{digest[:16]}...` | {use} |")
    return lines


def _training(origin: Provenance | None) -> list[str]:
    if origin is None:
        return ["Unknown: no dvc.lock beside the exported file names these weights."]
    photos = f"`{origin.photos}`" if origin.photos else "unknown"
    lines = [
        f"- recipe `{origin.recipe}`, preset `{origin.preset}`, seed {origin.seed}",
        f"- photographs: {photos}{f' ({origin.about})' if origin.about else ''}",
    ]
    if origin.counts:
        patches = origin.counts.get("patches", {}).get("train", UNKNOWN)
        lines.append(
            f"- {origin.counts.get('photos_read', UNKNOWN)} photographs read, validation and test "
            f"included; {patches} patches to train on"
        )
    else:
        lines.append("- number of photographs and patches: unknown")
    for phase, section in origin.phases.items():
        training, aim = section.get("training", {}), section.get("objective", {})
        lines.append(
            f"- {phase}: objective {aim.get('name')} ({aim.get('kind', 'its only kind')}), "
            f"{training.get('steps')} steps of {training.get('batch_size')} crops of "
            f"{training.get('patch_size')} LR pixels"
        )
        if section.get("init_from"):
            lines.append(f"  - begun with the weights `{section['init_from']}`")
    return lines


def _results(origin: Provenance | None) -> list[str]:
    if origin is None or not origin.scores:
        return ["Unknown: no metrics of these very weights were found."]
    shown = {
        name: {"bicubic": rows["bicubic"], "this model": rows[origin.model]}
        for name, rows in origin.scores.items()
    }
    lines = [short_table(shown, markdown=True), "", "How the scores were made:", ""]
    protocol = origin.metrics.get("protocol", {})
    return lines + [f"- {key}: {', '.join(map(str, value))}" for key, value in protocol.items()]


def _made_for(origin: Provenance | None) -> str:
    if origin is None:
        return "for which LR (kernel, noise, compression) is unknown."
    if any("degradation" in each.get("training", {}) for each in origin.phases.values()):
        return "LR that was blurred, noisy and compressed as the recipe's degradation says."
    return (
        "LR as MATLAB's bicubic kernel makes it of clean photographs; it enlarges noise and JPEG "
        "blocks as well."
    )


def _limits(of: Snapshot, origin: Provenance | None) -> list[str]:
    lines = [
        f"- Made to enlarge {_scale(of)} times, {_made_for(origin)}",
        "- What it adds is likely, not true: SR is no evidence of what LR does not show.",
        "- Drawings, text, faces and medical pictures were not looked at apart.",
    ]
    if origin and "adversarial" in origin.phases:
        lines.append("- Trained against a discriminator: sharper, and less faithful to the pixel.")
    if origin and origin.preset != "paper":
        lines.append(
            f"- The preset `{origin.preset}` trains briefly; scores are below the paper's."
        )
    return lines


def model_card(
    of: Snapshot,
    *,
    files: Mapping[ExportFormat, Path],
    origin: Provenance | None,
    license: str = UNKNOWN,  # noqa: A002 - the field's name
) -> str:
    """Markdown with the YAML head that Hugging Face reads.

    Args:
        of: The generator.
        files: The exported files by form; their sizes and digests are told.
        origin: What is known of the weights.
        license: The weights' licence, as Hugging Face names it.

    Raises:
        ConfigError: The licence is no identifier.
    """
    check_license(license)
    title = f"{origin.recipe if origin else of.name}-x{_scale(of)}"
    count = sum(each.numel() for each in of.network.parameters())
    asked = "; set `--license` when exporting" if license == UNKNOWN else ""
    sections = {
        "Files": _files(of, files),
        "Trained on": _training(origin),
        "Scores": _results(origin),
        "Limits": _limits(of, origin),
        "Licence": [f"{license}{asked}. Who trained on photographs heeds their licences, too."],
    }
    head = f"{of.name}, {count:,} parameters: enlarges RGB pictures {_scale(of)} times.\n"
    body = "".join(f"\n## {name}\n\n" + "\n".join(each) + "\n" for name, each in sections.items())
    matter = card_metadata(title, tags=[of.name, f"x{_scale(of)}"], origin=origin, license=license)
    return f"{matter}\n# {title}\n\n{head}{body}"


def check_license(license: str) -> None:  # noqa: A002 - the field's name
    """Refuses what can be no licence's identifier.

    Raises:
        ConfigError: It is none.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", license):
        raise ConfigError(
            f"license: is no identifier (found {license!r}); mit, cc-by-4.0, other or unknown are "
            "right (huggingface.co/docs/hub/repositories-licenses)"
        )


def _index_results(origin: Provenance) -> list[dict[str, Any]]:
    """The model's scores, as a model index has them, a test set each."""
    return [
        {
            "task": {"type": "image-to-image", "name": "super-resolution"},
            "dataset": {"name": name, "type": name},
            "metrics": [
                {"type": kind, "name": heading, "value": rows[origin.model][score]}
                for score, (kind, heading) in _SCORES.items()
                if score in rows[origin.model]
            ],
        }
        for name, rows in origin.scores.items()
    ]


def card_metadata(
    title: str,
    *,
    tags: list[str],
    origin: Provenance | None,
    license: str,  # noqa: A002 - the field's name
) -> str:
    """The YAML between two lines of dashes.

    Args:
        title: The model's name.
        tags: What it is found by.
        origin: What is known of the weights.
        license: An identifier that `check_license` lets pass.
    """
    matter: dict[str, Any] = {
        "license": license,
        "library_name": "srmodels",
        "pipeline_tag": "image-to-image",
        "tags": ["super-resolution", *tags],
    }
    if origin and origin.scores:
        matter["model-index"] = [{"name": title, "results": _index_results(origin)}]
    text, yaml = io.StringIO(), YAML()
    yaml.default_flow_style = False
    yaml.dump(matter, text)
    return f"---\n{text.getvalue()}---\n"
