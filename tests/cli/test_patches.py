"""`srmodels patches`, as people type it."""

import numpy as np
import pytest
from typer.testing import CliRunner

from srmodels.cli.main import app
from srmodels.data.patches.cut import cut
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.store.writer import ShardWriter, write_index
from srmodels.errors import DataError
from srmodels.images.readers.decode import decode


@pytest.fixture
def patches(tmp_path, photo):
    train = tmp_path / "patches" / "train"
    train.mkdir(parents=True)
    pieces = cut(np.ascontiguousarray(photo), PatchSettings(patch_size=8, stride=8), 4)
    with ShardWriter(train, 0, patch_size=8, scale=4) as writer:
        rows = writer.add("a.png", pieces)
    write_index(rows, train)
    return tmp_path / "patches"


def test_a_sheet_is_drawn_and_its_path_printed(patches, tmp_path):
    sheet = tmp_path / "look" / "sheet.png"
    words = ["patches", "show", "--data", str(patches), "--count", "3", "-o", str(sheet)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("3 of ")
    assert done.output.endswith(f"pairs: {sheet}\n")
    assert decode(sheet).shape[0] > 32


def test_a_folder_without_patches_is_named(tmp_path):
    done = CliRunner().invoke(app, ["patches", "show", "--data", str(tmp_path)])
    assert isinstance(done.exception, DataError)
    assert f"{tmp_path / 'train' / 'index.csv'}: not found" in str(done.exception)
