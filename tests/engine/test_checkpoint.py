import logging
import multiprocessing
import time

import pytest
import torch

from srmodels.engine.checkpoint import Checkpoints, fingerprint_of
from srmodels.errors import BusyError


@pytest.fixture
def checkpoints(tmp_path):
    with (made := Checkpoints(tmp_path / "pretrain-0123")).held():
        yield made


def test_what_was_saved_comes_back(checkpoints) -> None:
    checkpoints.save({"step": 3, "weights": torch.arange(4)})
    assert torch.equal(checkpoints.load()["weights"], torch.arange(4))


def test_there_is_nothing_to_load_before_the_first_save(checkpoints) -> None:
    assert checkpoints.load() is None


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint_gives_way_to_the_one_before_and_says_so(
    checkpoints, damage, caplog
) -> None:
    checkpoints.save({"step": 1})
    checkpoints.save({"step": 2})
    whole = checkpoints.path.read_bytes()
    checkpoints.path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with caplog.at_level(logging.WARNING):
        assert checkpoints.load()["step"] == 1
    assert "cannot be read" in caplog.text


def test_a_failed_save_keeps_the_old_state_and_says_so(checkpoints, monkeypatch, caplog) -> None:
    checkpoints.save({"step": 1})

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    assert not checkpoints.save({"step": 2})
    assert "No space left" in caplog.text
    assert checkpoints.load()["step"] == 1


def _hold(folder, ready) -> None:
    with Checkpoints(folder).held():
        ready.set()
        time.sleep(30)


@pytest.mark.slow
def test_a_second_process_on_the_same_configuration_is_refused_until_the_first_dies(
    tmp_path,
) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    first = context.Process(target=_hold, args=(tmp_path / "run", ready))
    first.start()
    assert ready.wait(30)
    with pytest.raises(BusyError, match="another process"), Checkpoints(tmp_path / "run").held():
        pass
    first.kill()
    first.join()
    with Checkpoints(tmp_path / "run").held():
        pass


def test_the_fingerprint_changes_with_any_fact_and_not_with_their_order() -> None:
    facts = {"rate": 1e-4, "code": {"a": "1"}}
    assert fingerprint_of(facts) == fingerprint_of(dict(reversed(facts.items())))
    assert fingerprint_of(facts) != fingerprint_of(facts | {"rate": 2e-4})
