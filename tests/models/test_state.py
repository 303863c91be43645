"""State dicts are read from any file that holds one; nothing else is unpickled."""

import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from srmodels.errors import WeightsError
from srmodels.models._state import read_state

STATE = {"conv.weight": torch.ones(2, 3), "conv.bias": torch.zeros(2)}


def read(path):
    return read_state(path, where="weights", expected="a file")


def same(state):
    return state.keys() == STATE.keys() and all(torch.equal(state[k], STATE[k]) for k in STATE)


def test_a_safetensors_file_is_read(tmp_path):
    save_file(STATE, tmp_path / "a.safetensors")
    assert same(read(tmp_path / "a.safetensors"))


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"params": STATE},
        {"params": {}, "params_ema": STATE},
        {"state_dict": STATE, "epoch": 3},
    ],
)
def test_a_pytorch_file_is_read_however_public_code_nests_it(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")
    assert same(read(tmp_path / "a.pth"))


class Harmful:
    """Creates a file when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.mark.parametrize(
    "save", [torch.save, lambda obj, path: path.write_bytes(pickle.dumps(obj, 2))]
)
def test_a_pickle_that_does_anything_is_refused_and_does_nothing(tmp_path, save):
    trace = tmp_path / "trace"
    save({"conv.weight": Harmful(trace)}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="cannot be read"):
        read(tmp_path / "a.pth")
    assert not trace.exists()


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_truncated_file_is_refused(tmp_path, suffix, share):
    path = tmp_path / f"a{suffix}"
    save_file(STATE, path) if suffix == ".safetensors" else torch.save(STATE, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=rf"weights: {re.escape(str(path))} cannot be read"):
        read(path)


@pytest.mark.parametrize(
    ("content", "got"), [([STATE], "list"), ({"epoch": 3}, "int"), (torch.ones(2), "Tensor")]
)
def test_a_file_without_a_state_dict_is_refused(tmp_path, content, got):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=rf"holds no state dict \(got {got}\)"):
        read(tmp_path / "a.pth")


def test_a_missing_file_is_named_with_what_to_give(tmp_path):
    with pytest.raises(WeightsError, match=r"weights: no such file .*Give a file\."):
        read(tmp_path / "nowhere.pth")
