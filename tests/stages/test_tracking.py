"""The machine that a run names is what the training's settings use of it."""

from types import SimpleNamespace

import torch

from srmodels.engine.settings import RunSettings
from stages import tracking

FACTS = {"gpu": "NVIDIA H200", "processor": "AMD EPYC", "cores": 64, "threads": 64}


def described(monkeypatch, *, seen="cpu", **settings):
    monkeypatch.setattr(tracking, "facts", lambda: dict(FACTS))
    monkeypatch.setattr(tracking, "resolve_device", lambda _: torch.device(seen))
    return tracking.machine_of(SimpleNamespace(run=RunSettings(**settings)))


def test_a_training_on_the_cpu_names_no_gpu(monkeypatch) -> None:
    assert described(monkeypatch) == "AMD EPYC, cores: 64, threads: 64"
    gpu = "NVIDIA H200, AMD EPYC, cores: 64, threads: 64"
    assert described(monkeypatch, seen="cuda") == gpu


def test_threads_are_those_of_the_settings(monkeypatch) -> None:
    assert described(monkeypatch, threads=2) == "AMD EPYC, cores: 64, threads: 2"


def test_several_processes_are_named(monkeypatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert described(monkeypatch).endswith(", processes: 8")
