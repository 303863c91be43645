"""The command `srmodels use`: one line of params.yaml, after a check."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from srmodels.cli.use import use
from srmodels.errors import ConfigError, DataError
from srmodels.images.writers.write import write_picture

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "params.yaml").read_text()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    (tmp_path / "repo" / "data").mkdir(parents=True)
    (tmp_path / "repo" / "params.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path / "repo")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def changed():
    pairs = zip(TEXT.splitlines(), Path("params.yaml").read_text().splitlines(), strict=True)
    return [new.partition(" #")[0] for old, new in pairs if old != new]


@pytest.mark.parametrize("written", ["../my photos", "~/my photos", "inside", "../é [2020] {a}"])
def test_a_folder_is_set_as_an_absolute_path_in_one_line(repository, written, photo, capsys):
    folder = Path(written).expanduser()
    write_picture(folder / "a.png", photo)
    use(written)
    (line,) = changed()
    assert line.startswith("  photos: ")
    assert YAML(typ="safe").load(Path("params.yaml"))["data"]["photos"] == str(folder.resolve())
    assert "(1 photographs, 0 other files)" in capsys.readouterr().out


def test_a_missing_or_an_empty_folder_changes_nothing(repository):
    (repository / "empty").mkdir()
    for name in ("../none", "../empty"):
        with pytest.raises(DataError, match="FOLDER: "):
            use(name)
    assert Path("params.yaml").read_text() == TEXT


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        (".", "holds this repository"),
        ("..", "holds this repository"),
        ("../link", "holds this repository"),
        ("data", "is where the pipeline writes data/code"),
        ("data/photos", "is where the pipeline writes data/photos"),
        ("data/patches/test", "is where the pipeline writes data/patches"),
        ("data/mix/mine", "is where the pipeline writes data/mix"),
        ("weights", "is where the pipeline writes weights/pretrained.safetensors"),
        ("samples", "is where the pipeline writes samples"),
        ("../a${b}", r"has \$\{ in its path"),
    ],
)
def test_a_folder_that_dvc_writes_in_or_cannot_name_changes_nothing(
    repository, photo, name, problem
):
    Path("dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
    (repository / "link").symlink_to(repository)
    write_picture(Path(name) / "a.png", photo)
    with pytest.raises(DataError, match=f"FOLDER: {problem}") as caught:
        use(name)
    assert "\n" not in str(caught.value)
    assert Path("params.yaml").read_text() == TEXT


def test_a_file_or_an_unknown_set_is_answered_with_the_sets(repository, photo):
    write_picture(repository / "a.png", photo)
    for name, problem in (("../a.png", "is a file, not a folder"), ("div3k", "no such folder")):
        with pytest.raises(DataError, match=rf"FOLDER: {problem} \(got .*or one of auto"):
            use(name)


def test_the_bundled_photographs_are_set_by_their_name(repository):
    Path("params.yaml").write_text(TEXT.replace("photos: auto", "photos: /mine"))
    use("auto")
    assert changed() == []


def test_outside_a_repository_it_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"params\.yaml: not found"):
        use("auto")
