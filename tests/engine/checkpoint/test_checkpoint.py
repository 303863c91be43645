import errno
import logging
import multiprocessing
import os
import resource
import stat
import threading
import time

import pytest
import torch

from srmodels.engine.checkpoint.checkpoint import Checkpoints


@pytest.fixture
def checkpoints(tmp_path):
    with (made := Checkpoints(tmp_path / "pretrain-0123")).lock():
        yield made


def test_what_was_saved_comes_back(checkpoints) -> None:
    checkpoints.save({"step": 3, "weights": torch.arange(4)})
    assert torch.equal(checkpoints.load()["weights"], torch.arange(4))


def test_a_file_system_that_cannot_sync_a_folder_has_saved_all_the_same(
    checkpoints, caplog, monkeypatch
) -> None:
    sync = os.fsync

    def refuse_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")  # as CIFS answers
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    assert checkpoints.save({"step": 3})
    assert checkpoints.load() == {"step": 3}
    assert "not saved" not in caplog.text


def test_there_is_nothing_to_load_before_the_first_save(checkpoints) -> None:
    assert checkpoints.load() is None


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_gives_way_to_the_one_before_and_says_so(
    checkpoints, share, caplog
) -> None:
    checkpoints.save({"step": 1})
    checkpoints.save({"step": 2, "weights": torch.arange(1000)})
    whole = checkpoints.path.read_bytes()
    checkpoints.path.write_bytes(whole[: int(share * len(whole))])
    with caplog.at_level(logging.WARNING):
        assert checkpoints.load()["step"] == 1
    assert "checkpoint.pt: cannot be read" in caplog.text


def test_one_flipped_bit_of_a_tensor_is_noticed(checkpoints, caplog) -> None:
    checkpoints.save({"step": 1})
    checkpoints.save({"step": 2, "weights": torch.full((1000,), 0.5)})
    content = bytearray(checkpoints.path.read_bytes())
    content[content.index(b"\x00\x00\x00?" * 9) + 17] ^= 1
    checkpoints.path.write_bytes(content)
    torch.load(checkpoints.path, weights_only=True)  # which alone notices nothing
    with caplog.at_level(logging.WARNING):
        assert checkpoints.load()["step"] == 1
    assert "does not have its checksum" in caplog.text


def test_where_none_can_be_used_the_training_starts_from_step_0_and_says_so(
    checkpoints, caplog
) -> None:
    checkpoints.path.write_bytes(b"not a checkpoint")
    with caplog.at_level(logging.WARNING):
        assert checkpoints.load() is None
    assert "no usable checkpoint; training starts from step 0" in caplog.text


def test_a_checkpoint_of_another_configuration_is_not_used(checkpoints, caplog) -> None:
    checkpoints.save({"step": 1})
    other = Checkpoints(checkpoints.folder, {"data": "others"})
    with caplog.at_level(logging.WARNING):
        assert other.load() is None
    assert "belongs to another configuration" in caplog.text


def test_a_full_disk_keeps_the_old_state_and_says_so(checkpoints, caplog) -> None:
    checkpoints.save({"step": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        assert not checkpoints.save({"step": 2, "weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "not saved" in caplog.text
    assert checkpoints.load()["step"] == 1
    assert checkpoints.save({"step": 3})


def test_a_state_that_does_not_read_back_does_not_replace_the_one_that_does(
    checkpoints, monkeypatch, caplog
) -> None:
    checkpoints.save({"step": 1})
    saved = torch.save

    def truncated(content, path) -> None:
        saved(content, path)
        path.write_bytes(path.read_bytes()[:-9])

    monkeypatch.setattr(torch, "save", truncated)
    assert not checkpoints.save({"step": 2})
    assert checkpoints.load()["step"] == 1
    assert not checkpoints.previous.exists()


def test_a_changed_configuration_says_what_differs(tmp_path, caplog) -> None:
    facts = {"settings": {"seed": 0, "rate": 1e-4}, "code": {"srmodels.engine.step": "aa"}}
    left = Checkpoints(tmp_path / "pretrain-aaaa", facts)
    with left.lock():
        left.save({"step": 1})
    changed = {"settings": {"seed": 0, "rate": 2e-4}, "code": {"srmodels.engine.step": "bb"}}
    now = Checkpoints(tmp_path / "pretrain-bbbb", changed)
    with now.lock(), caplog.at_level(logging.INFO):
        assert now.load() is None
    (message,) = caplog.messages
    assert "pretrain starts from step 0" in message
    assert "code srmodels.engine.step; settings rate 0.0002 (was 0.0001)" in message


def test_an_unfinished_file_of_a_killed_process_is_deleted(tmp_path) -> None:
    checkpoints = Checkpoints(tmp_path / "pretrain-0123")
    with checkpoints.lock():
        (checkpoints.folder / ".checkpoint.pt.123").write_bytes(b"half")
    with checkpoints.lock():
        assert [path.name for path in checkpoints.folder.iterdir()] == ["inputs.json"]


def _hold(folder, ready) -> None:
    with Checkpoints(folder).lock():
        ready.set()
        time.sleep(30)


@pytest.mark.slow
def test_a_second_process_on_the_same_configuration_waits_until_the_first_dies(
    tmp_path, caplog
) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    first = context.Process(target=_hold, args=(tmp_path / "run", ready))
    first.start()
    assert ready.wait(30)
    killer = threading.Timer(1, first.kill)
    killer.start()
    with Checkpoints(tmp_path / "run").lock():
        assert not first.is_alive()
    assert "another process trains this configuration" in caplog.text
