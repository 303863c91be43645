"""One run of the smoke preset for all tests of pipelines."""

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from tests.stages.repository import clone, run


@pytest.fixture(scope="session")
def smoke(tmp_path_factory, worker_id) -> Path:
    """A repository in which the smoke preset has run once, for `copy_of`; nothing changes it."""
    place = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        place = place.parent  # the workers share it
    folder, done = place / "smoke", place / "smoke-is-finished"
    with FileLock(place / "smoke.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # another worker's attempt failed
            clone(folder)
            run(folder, "dvc", "repro")
            done.touch()
    return folder
