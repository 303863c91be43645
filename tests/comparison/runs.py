"""Runs as the pipeline leaves them, and repositories that keep several."""

import json
import subprocess
from pathlib import Path

from tests.stages.repository import run

PROTOCOL = {"scale": ["4"], "y": ["ITU-R BT.601, 16..235"], "psnr_y": ["dB", "peak 255"]}
BICUBIC = {"psnr_y": 20.0, "sharpness": 0.2}
BASELINE = "32b6e486c55c67e99fdb56a8bd46597e8ae675ed"


def write_run(
    folder: Path,
    psnr: list[float],
    *,
    sharpness: float = 0.5,
    first: int = 0,
    bicubic: float = 20.0,
    protocol: dict[str, list[str]] = PROTOCOL,
    recipe: str = "srgan",
    preset: str = "smoke",
) -> Path:
    """metrics/, plots/ and dvc.lock with a PSNR per picture, named a, b, c, ... from `first`."""
    lines = ["set,image,model,psnr_y,sharpness"]
    for number, each in enumerate(psnr, first):
        name = chr(ord("a") + number)
        lines.append(f"test,{name},bicubic,{bicubic},0.2")
        lines.append(f"test,{name},pretrained,{each - 1},{sharpness - 0.1}")
        lines.append(f"test,{name},generator,{each},{sharpness}")
    mean = sum(psnr) / len(psnr)
    models = {
        "bicubic": {"psnr_y": bicubic, "sharpness": 0.2},
        "pretrained": {"psnr_y": mean - 1, "sharpness": sharpness - 0.1},
        "generator": {"psnr_y": mean, "psnr_y_low": mean - 1, "sharpness": sharpness},
    }
    for name in ("metrics", "plots"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    metrics = {"test": models, "protocol": protocol, "parameters": 1234}
    (folder / "metrics/evaluate.json").write_text(json.dumps(metrics))
    (folder / "plots/per_image.csv").write_text("\n".join(lines) + "\n")
    curve = "".join(f"{step},{1 / step}\n" for step in range(10, 200, 10))
    (folder / "plots/pretrain.csv").write_text(f"step,pixel\n{curve}")
    (folder / "dvc.lock").write_text(f"params.yaml:\n  models.{recipe}.{preset}.generator: x\n")
    return folder


def repository(folder: Path, **experiments: list[float]) -> Path:
    """A workspace of 30 dB on five pictures, and experiments as DVC keeps them."""
    folder.mkdir(exist_ok=True)
    run(folder, "git", "init", "-q", "-b", "main")
    for name, psnr in experiments.items():
        write_run(folder, psnr, recipe=name)
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-qm", name)
        ref = f"refs/exps/{BASELINE[:2]}/{BASELINE[2:]}/{name}-run"
        run(folder, "git", "update-ref", ref, "HEAD")
    return write_run(folder, [30.0, 30.5, 29.5, 31.0, 29.0])


def head(folder: Path) -> str:
    """The commit checked out."""
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, text=True).strip()
