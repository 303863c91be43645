"""One generator, one photograph, by srmodels and by the programs that open its exported files.

`python -m benchmarks.upscale_programs` enlarges a photograph with Real-ESRGAN's x4plus by both
engines of `srmodels upscale`, by the float32 tile loop of public scripts (PyTorch), and by the same
loop around ncnn (pip's package), onnxruntime and OpenVINO, each as its maker sets it up, with one
and two threads. Every run has a process of its own; opening a file is not timed. Needs `pip install
ncnn onnxruntime openvino`; what is missing is a row without numbers.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from benchmarks.report import Cell, report
from benchmarks.upscale import PADDING, SCALE, TILE, Picture, peak_bytes, photograph, usual
from srmodels import models, snapshot
from srmodels.export import ncnn
from srmodels.export.export import export
from srmodels.inference.generators.generator import Generator, with_engine
from srmodels.inference.weights.open_weights import open_weights
from srmodels.inference.weights.registry import weights_file
from srmodels.machine import keep_freed_memory
from srmodels.snapshot import Snapshot

WEIGHTS = "realesrgan-x4plus"
RANDOM = "random"  # weights of the same network
STEM = "generator"

Run = Callable[[Picture], Picture]


def _in_tiles(network: Callable[[Tensor], Tensor]) -> Run:
    return lambda lr: usual(network, lr)


def _srmodels(folder: Path, _: int) -> Generator:
    keep_freed_memory()
    return open_weights(folder / f"{STEM}.safetensors", precision="auto")


def _srmodels_by_openvino(folder: Path, threads: int) -> Run:
    return with_engine(_srmodels(folder, threads), "openvino")


def _tile_loop(folder: Path, _: int) -> Run:
    return _in_tiles(
        snapshot.load(folder / f"{STEM}.safetensors").network.to(
            memory_format=torch.contiguous_format
        )
    )


def _ncnn(folder: Path, threads: int) -> Run:
    from ncnn import Mat, Net

    net = Net()
    net.opt.num_threads = threads
    net.load_param(str(folder / f"{STEM}.param"))
    net.load_model(str(folder / f"{STEM}.bin"))

    def enlarge(lr: Tensor) -> Tensor:
        with net.create_extractor() as run:
            run.input(ncnn.INPUT, Mat(lr[0].numpy()).clone())
            return torch.from_numpy(np.array(run.extract(ncnn.OUTPUT)[1]))[None]

    return _in_tiles(enlarge)


def _onnxruntime(folder: Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        folder / f"{STEM}.onnx", options, providers=["CPUExecutionProvider"]
    )
    return _in_tiles(lambda lr: torch.from_numpy(session.run(["sr"], {"lr": lr.numpy()})[0]))


def _openvino(folder: Path, threads: int) -> Run:
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    network = openvino.Core().compile_model(folder / f"{STEM}.onnx", "CPU", settings)
    return _in_tiles(lambda lr: torch.from_numpy(network([lr.numpy()])[0]))


WAYS: dict[str, tuple[str, Callable[[Path, int], Run]]] = {  # by name: the package and its opener
    "tile loop, float32": ("torch", _tile_loop),
    "ours": ("torch", _srmodels),
    "ours, engine openvino": ("openvino", _srmodels_by_openvino),
    "ncnn": ("ncnn", _ncnn),
    "onnxruntime": ("onnxruntime", _onnxruntime),
    "OpenVINO": ("openvino", _openvino),
}


def _write_files(folder: Path, weights: str) -> None:
    """Writes the generator in each format; the exports compare it with the network."""
    if weights == RANDOM:
        torch.manual_seed(0)
        settings = models.settings_class("rrdbnet")()
        network = models.build("rrdbnet", settings).eval()
        generator = Snapshot(network=network, name="rrdbnet", settings=settings)
    else:
        generator = snapshot.load(weights_file(weights))
    for file_format, suffix in (("safetensors", "safetensors"), ("ncnn", "ncnn"), ("onnx", "onnx")):
        export(generator, folder / f"{STEM}.{suffix}", file_format=file_format)  # type: ignore[arg-type]  # literals


def _run(folder: Path, way: str, threads: int) -> None:
    """Does one run in this process."""
    torch.set_num_threads(threads)
    lr, enlarge = np.load(folder / "lr.npy"), WAYS[way][1](folder, threads)
    with torch.inference_mode():
        start = time.perf_counter()
        sr = enlarge(lr)
        spent = time.perf_counter() - start
    np.save(folder / f"{way}-{threads}.npy", sr)
    print(json.dumps({"seconds": spent, "peak": peak_bytes()}))


def _measured(folder: Path, way: str, threads: int) -> dict[str, float]:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.upscale_programs",
            "--run",
            str(folder),
            way,
            str(threads),
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    )
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure(folder: Path, *, side: int, threads: list[int], weights: str) -> list[list[Cell]]:
    """The table's rows; the tile loop is first."""
    np.save(folder / "lr.npy", photograph(side, side))
    _write_files(folder, weights)
    rows: list[list[Cell]] = []
    for count in threads:
        loop: dict[str, float] = {}
        for way, (package, _) in WAYS.items():
            name = f"{way}, {count} thread{'s' if count > 1 else ''}"
            if find_spec(package) is None:
                rows.append([f"{name}: not installed", *["-"] * 4])
                continue
            measured = _measured(folder, way, count)
            loop = loop or measured
            first = np.load(folder / f"{next(iter(WAYS))}-{count}.npy").astype(int)
            away = np.abs(np.load(folder / f"{way}-{count}.npy") - first)
            rows.append(
                [
                    name,
                    f"{measured['seconds']:.1f} s",
                    f"{loop['seconds'] / measured['seconds']:.1f}x",
                    f"{measured['peak'] / 2**20:.0f} MiB",
                    f"{away.mean():.2f}, {away.max()}",
                ]
            )
    return rows


def _versions() -> dict[str, Cell]:
    versions: dict[str, Cell] = {}
    for package, _ in WAYS.values():
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--side", type=int, default=512, help="of the picture, LR pixels")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--weights", default=WEIGHTS, help=f"a name or file, or {RANDOM}")
    parser.add_argument("--json", type=Path, help="where to keep the table")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        folder, way, threads = given.run
        _run(Path(folder), way, int(threads))
        return
    with TemporaryDirectory() as folder:
        rows = measure(Path(folder), side=given.side, threads=given.threads, weights=given.weights)
    report(
        f"{given.weights}: {given.side} x {given.side} pixels, {SCALE} times larger",
        ["way", "time", "speed", "peak memory", "levels off the tile loop: mean, most"],
        rows,
        settings={
            "side": given.side,
            "threads": " ".join(map(str, given.threads)),
            "weights": given.weights,
            "tile": TILE,
            "padding": PADDING,
            **_versions(),
        },
        path=given.json,
    )


if __name__ == "__main__":
    main()
