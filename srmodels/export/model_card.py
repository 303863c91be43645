"""A model card, the README.md of a Hugging Face repository, with YAML metadata at its top.

https://huggingface.co/docs/hub/model-cards,
https://github.com/huggingface/hub-docs/blob/main/modelcard.md
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
from srmodels.models._dynamic_sizes import min_input_size
from srmodels.pretrained.generators import PUBLIC, PublicGenerator
from srmodels.snapshot import Snapshot

__all__ = ["UNKNOWN", "check_license", "model_card"]

UNKNOWN = "unknown"

_SCORES = {"psnr_y": ("psnr", "PSNR-Y (dB)"), "ssim_y": ("ssim", "SSIM-Y")}
_USES = {
    "safetensors": '`srmodels upscale IN -o OUT --weights {file}`, or `srmodels.load("{file}")`',
    "pth": "the public layout: chaiNNer, ComfyUI and other programs that use spandrel",
    "onnx": "input `lr` (1, 3, H, W), output `sr`; any size from {least} pixels a side, opset 18",
    "pt2": '`torch.export.load("{file}").module()(lr)`; any size from {least} pixels a side',
}


def _file_lines(generator: Snapshot, files: Mapping[ExportFormat, Path]) -> list[str]:
    lines = ["| file | bytes | SHA-256 | for |", "|---|---:|---|---|"]
    for file_format, path in files.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        least = min_input_size(generator.network)
        use = _USES[file_format].format(file=path.name, least=least)
        lines.append(f"| {path.name} | {path.stat().st_size} | `{digest[:16]}...` | {use} |")
    return lines


def _training_lines(origin: Provenance | None, public: PublicGenerator | None) -> list[str]:
    if public:
        return [f"By its authors, for {public.trained_for}: {public.source} tells more."]
    if origin is None:
        return ["Unknown: no dvc.lock beside the exported file names these weights."]
    photos = f"`{origin.photos}`" if origin.photos else UNKNOWN
    lines = [
        f"- recipe `{origin.recipe}`, preset `{origin.preset}`, seed {origin.seed}",
        f"- photographs: {photos}{f' ({origin.about})' if origin.about else ''}",
    ]
    if origin.counts:
        patches = origin.counts.get("patches", {}).get("train", UNKNOWN)
        lines.append(
            f"- {origin.counts.get('photos_read', UNKNOWN)} photographs read, including validation "
            f"and test; {patches} training patches"
        )
    else:
        lines.append("- number of photographs and patches: unknown")
    for phase, section in origin.phases.items():
        training, objective = section.get("training", {}), section.get("objective", {})
        lines.append(
            f"- {phase}: objective {objective.get('name')} ({objective.get('kind', 'only kind')}), "
            f"{training.get('steps')} steps of {training.get('batch_size')} crops of "
            f"{training.get('patch_size')} LR pixels"
        )
    if origin.start:
        lines.append(f"- pretraining started from the weights `{origin.start}`")
    return lines


def _score_lines(origin: Provenance | None) -> list[str]:
    if origin is None or not origin.scores:
        return ["Unknown: no metrics of these very weights were found."]
    table = {
        name: {"bicubic": rows["bicubic"], "this model": rows[origin.model]}
        for name, rows in origin.scores.items()
    }
    lines = [short_table(table, markdown=True), "", "Protocol of the scores:", ""]
    protocol = origin.metrics.get("protocol", {})
    return lines + [f"- {key}: {', '.join(map(str, value))}" for key, value in protocol.items()]


def _limit_lines(
    scale: object, origin: Provenance | None, public: PublicGenerator | None
) -> list[str]:
    phases = origin.phases if origin else {}
    if public:
        lr = f"{public.trained_for}."
    elif origin is None:
        lr = "unknown LR (kernel, noise and compression are not recorded)."
    elif origin.has_degradation:
        lr = "LR that is blurred, noisy and compressed as the recipe's degradation says."
    else:
        lr = (
            "LR that MATLAB's bicubic kernel makes of clean photographs. The network also enlarges "
            "noise and JPEG blocks."
        )
    lines = [
        f"- Trained to upscale {scale} times, for {lr}",
        "- The added detail is likely, not true: SR is no evidence of what LR does not show.",
        "- Not tested separately on drawings, text, faces or medical images.",
    ]
    if "adversarial" in phases:
        lines.append("- Trained against a discriminator: sharper, but less faithful per pixel.")
    if origin and origin.preset != "paper":
        lines.append(
            f"- The preset `{origin.preset}` trains briefly; scores are below the paper's."
        )
    return lines


def model_card(
    generator: Snapshot,
    *,
    files: Mapping[ExportFormat, Path],
    origin: Provenance | None,
    public: str | None = None,
    license: str = UNKNOWN,  # noqa: A002 - the field's name
) -> str:
    """Markdown with the YAML metadata that Hugging Face reads; `origin` None is unknown.

    `public` is the name of weights that others trained and published, a key of `PUBLIC`.

    Raises:
        ConfigError: The licence is not an identifier.
    """
    check_license(license)
    name, scale = generator.name, generator.network.scale
    published = PUBLIC[public] if public else None
    title = public or f"{origin.recipe if origin else name}-x{scale}"
    count = sum(parameter.numel() for parameter in generator.network.parameters())
    hint = ". Set `--license` when exporting" if license == UNKNOWN else ""
    if published and license == published.license.lower():
        hint = f", as published at {published.source}: keep the copyright notice of its authors"
    sections = {
        "Files": _file_lines(generator, files),
        "Trained on": _training_lines(origin, published),
        "Scores": _score_lines(origin),
        "Limits": _limit_lines(scale, origin, published),
        "Licence": [f"{license}{hint}. Also respect the licences of the training photographs."],
    }
    head = f"{name}, {count:,} parameters: upscales RGB images {scale} times.\n"
    body = "".join(f"\n## {key}\n\n" + "\n".join(lines) + "\n" for key, lines in sections.items())
    metadata: dict[str, Any] = {
        "license": license,
        "library_name": "srmodels",
        "pipeline_tag": "image-to-image",
        "tags": ["super-resolution", name, f"x{scale}"],
    }
    if origin and origin.scores:
        metadata["model-index"] = _model_index(title, origin)
    text, yaml = io.StringIO(), YAML()
    yaml.default_flow_style = False
    yaml.dump(metadata, text)
    return f"---\n{text.getvalue()}---\n\n# {title}\n\n{head}{body}"


def check_license(license: str) -> None:  # noqa: A002 - the field's name
    """Raises ConfigError unless the text can be a licence's identifier."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", license):
        raise ConfigError(
            f"license: not an identifier (got {license!r}). Choose one such as mit, cc-by-4.0, "
            "other or unknown (huggingface.co/docs/hub/repositories-licenses)."
        )


def _model_index(title: str, origin: Provenance) -> list[dict[str, Any]]:
    """The scores by test set, as Hugging Face reads them."""
    results = [
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
    return [{"name": title, "results": results}]
