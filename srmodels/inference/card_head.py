"""The head of a model card: YAML that Hugging Face reads its licence, tags and scores from.

https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

import io
import re
from typing import Any

from ruamel.yaml import YAML

from srmodels.errors import ConfigError
from srmodels.inference.provenance import Provenance

__all__ = ["UNKNOWN", "card_head", "check_license"]

UNKNOWN = "unknown"
_SCORES = {"psnr_y": ("psnr", "PSNR-Y (dB)"), "ssim_y": ("ssim", "SSIM-Y")}


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


def _results(origin: Provenance) -> list[dict[str, Any]]:
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


def card_head(
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
        matter["model-index"] = [{"name": title, "results": _results(origin)}]
    text, yaml = io.StringIO(), YAML()
    yaml.default_flow_style = False
    yaml.dump(matter, text)
    return f"---\n{text.getvalue()}---\n"
