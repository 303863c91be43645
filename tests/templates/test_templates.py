"""What `srmodels new` writes passes all checks; a name that is taken or wrong changes nothing."""

import shutil

import pytest

from srmodels.errors import ConfigError
from srmodels.templates import write_files
from tests.stages.repository import ROOT, clone, run

NAMES = {"network": "three_layers", "objective": "edged", "loss": "edge_steps"}
NEW = ("python", "-m", "srmodels.cli.main", "new")


@pytest.fixture
def repository(tmp_path):
    for folder in ("models", "objectives", "losses"):
        (tmp_path / "srmodels" / folder).mkdir(parents=True)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "srmodels" / "models" / "edsr.py").touch()
    return tmp_path


@pytest.mark.parametrize("kind", NAMES)
def test_module_test_and_recipe_are_written(repository, kind):
    written = [
        str(path.relative_to(repository)) for path in write_files(kind, "mine", root=repository)
    ]
    folder = {"network": "models", "objective": "objectives", "loss": "losses"}[kind]
    assert written[:2] == [f"srmodels/{folder}/mine.py", f"tests/{folder}/test_mine.py"]
    assert written[2:] == ([] if kind == "loss" else ["params.yaml"])
    assert "$" not in "".join((repository / path).read_text() for path in written[:2])


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("network", "My-Net", "no name for a module"),
        ("network", "class", "no name for a module"),
        ("loss", "edsr", r"this name is taken \(got srmodels/models/edsr\.py\)"),
        ("objective", "srgan", "params.yaml has a recipe of this name"),
    ],
)
def test_a_wrong_name_changes_nothing(repository, kind, name, message):
    before = sorted(repository.rglob("*"))
    with pytest.raises(ConfigError, match=f"new {kind}: {message}"):
        write_files(kind, name, root=repository)
    assert sorted(repository.rglob("*")) == before


def test_outside_a_repository_it_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="new loss: no repository here"):
        write_files("loss", "mine", root=tmp_path)


@pytest.mark.long
@pytest.mark.slow
def test_what_is_written_is_green(tmp_path) -> None:
    folder = clone(tmp_path / "repo")
    for kind, name in NAMES.items():
        assert f"test_{name}.py" in run(folder, *NEW, kind, name)
    run(folder, "ruff", "check", "srmodels", "tests/models", "tests/objectives", "tests/losses")
    run(folder, "ruff", "format", "--check", "srmodels", "tests/models")
    text = run(
        folder,
        *("python", "-m", "pytest", "-q", "tests/models", "tests/objectives", "tests/losses"),
        *("tests/test_params.py", "tests/inference/tiling/test_upscale.py", "tests/export"),
        *("-m", "not slow", "-k", " or ".join(NAMES.values())),
    )
    assert "100%" in text
    run(folder, "python", "-m", "pytest", "-q", "tests/reports/test_settings.py")
