"""Which files, and where to: places, names, and nothing overwritten."""

from pathlib import Path

import pytest

from srmodels.errors import ConfigError
from srmodels.images.writers.formats import format_named
from srmodels.inference.files.plan import PIPE, plan


@pytest.fixture
def folder(tmp_path):
    """Two pictures, one in a folder below, beside a text."""
    for name in ("in/a.jpg", "in/below/b.heic", "in/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("no picture")
    return tmp_path / "in"


def targets(*inputs, output, **options):
    tasks = plan([str(each) for each in inputs], str(output), **options)
    return [str(target) for task in tasks for target in task.targets]


def test_results_go_into_a_folder_as_png():
    assert targets("a/x.heic", "b/y.jpg", output="out") == ["out/x.png", "out/y.png"]


def test_results_are_of_the_format_asked_for():
    assert targets("x.heic", output="out", file_format=format_named("jpg")) == ["out/x.jpg"]


def test_a_single_result_may_have_a_name():
    assert targets("x.heic", output="y.jpg") == ["y.jpg"]


def test_a_name_and_another_format_are_refused():
    with pytest.raises(ConfigError, match=r"y\.jpg: is jpeg, but --format is png"):
        targets("x.heic", output="y.jpg", file_format=format_named("png"))


@pytest.mark.parametrize("output", ["v1.0", "v1.0/"])
def test_a_folder_with_a_dot_in_its_name_is_a_folder(tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    if not output.endswith("/"):
        Path(output).mkdir()
    assert targets("x.heic", output=output) == ["v1.0/x.png"]


def test_a_name_that_only_looks_as_if_it_had_an_ending_stays_whole():
    assert targets("holiday v1.2", output="out") == ["out/holiday v1.2.png"]


def test_several_pictures_do_not_go_into_one_file():
    with pytest.raises(ConfigError, match=r"is one file for 2 pictures. Name a folder, as large/"):
        targets("x.heic", "y.heic", output="z.png")


def test_a_folder_of_pictures_does_not_go_into_one_file_either(folder, tmp_path):
    y = tmp_path / "y.PNG"
    with pytest.raises(ConfigError, match=r"y\.PNG: is one file for 2 pictures. Name a folder"):
        targets(folder, output=y)
    assert targets(folder / "below", output=y) == [str(y)]
    assert targets(folder, output=f"{y}/") == [f"{y}/a.png", f"{y}/below/b.png"]
    y.mkdir()
    assert targets(folder, output=y) == [f"{y}/a.png", f"{y}/below/b.png"]
    assert targets(folder, output=tmp_path / "v1.2")[0] == f"{tmp_path}/v1.2/a.png"


def test_an_unknown_ending_is_refused_before_any_work():
    with pytest.raises(ConfigError, match=r"z\.gif: unknown image format"):
        targets("x.heic", output="z.gif")


def test_a_folder_keeps_its_structure(folder, tmp_path):
    out = tmp_path / "out"
    assert targets(folder, output=out) == [f"{out}/a.png", f"{out}/below/b.png"]


def test_results_of_an_earlier_run_are_no_inputs(folder):
    (folder / "large").mkdir()
    (folder / "large" / "a.png").touch()
    assert len(targets(folder, output=folder / "large")) == 2


def test_a_pattern_keeps_the_structure_below_what_is_fixed_in_it(folder, tmp_path):
    out = tmp_path / "out"
    assert targets(folder / "**" / "*", output=out) == [f"{out}/a.png", f"{out}/below/b.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path):
    (tmp_path / "a[1].png").touch()
    assert targets(tmp_path / "a[1].png", output="out") == ["out/a[1].png"]


@pytest.mark.parametrize("word", ["none*.jpg", ""])
def test_nothing_found_is_an_error(word):
    with pytest.raises(ConfigError, match=r"no picture found|IN: is empty"):
        targets(word, output="out")


def test_pictures_of_one_name_in_two_kinds_keep_their_endings():
    made = targets("IMG.CR2", "img.jpg", "other.jpg", output="out")
    assert made == ["out/IMG.CR2.png", "out/img.jpg.png", "out/other.png"]


def test_a_picture_that_is_given_twice_is_enlarged_once(folder, caplog):
    caplog.set_level("INFO")
    again = [folder / "a.jpg", folder / "below" / ".." / "a.jpg", folder.parent / "*" / "*.jpg"]
    made = targets(folder, *again, output="out")
    assert made == ["out/a.png", "out/below/b.png"]
    assert "repeated inputs: 3; each picture is enlarged once" in caplog.text
    assert "suffix" not in caplog.text


def test_a_link_of_another_name_is_a_picture_of_its_own(folder):
    (folder / "link.jpg").symlink_to(folder / "a.jpg")
    assert targets(folder / "*.jpg", output="out") == ["out/a.png", "out/link.png"]


def test_only_where_suffixes_differ_a_notice_says_so(caplog):
    caplog.set_level("INFO")
    with pytest.raises(ConfigError, match=r"got out/x\.png"):
        targets("a/x.jpg", "b/x.jpg", output="out")
    assert not caplog.text
    targets("x.jpg", "x.heic", output="out")
    assert "inputs differ in their suffix only" in caplog.text


def test_two_results_of_one_name_are_refused():
    with pytest.raises(ConfigError, match=r"b/x\.png: its result is also that of a/x\.png"):
        targets("a/x.png", "b/x.png", output="out")


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_an_input_is_never_overwritten_not_even_through_a_link(tmp_path, link):
    path = tmp_path / "x.png"
    path.touch()
    getattr(tmp_path / "y.png", link)(path)
    for output in (tmp_path, path, tmp_path / "." / "x.png", tmp_path / "y.png"):
        with pytest.raises(ConfigError, match="would overwrite an input"):
            targets(path, output=output)


def test_an_input_behind_a_linked_folder_is_not_overwritten_either(tmp_path):
    (tmp_path / "x.png").touch()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(ConfigError, match="would overwrite an input"):
        targets(tmp_path / "x.png", output=tmp_path / "link")


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/x.png"])
def test_no_name_leads_out_of_the_folder(name):
    assert targets(name, output="out") == [str(Path("out", "x.png"))]


def test_samples_are_numbered():
    assert targets("x.jpg", output="out", samples=2) == ["out/x-1.png", "out/x-2.png"]
    assert targets("x.jpg", output="y.webp", samples=2) == ["y-1.webp", "y-2.webp"]


def test_standard_input_and_output_are_a_task():
    (task,) = plan(["-"], "-")
    assert (task.source, task.targets, task.file_format.name) == (PIPE, (PIPE,), "png")


def test_standard_output_takes_one_picture():
    with pytest.raises(ConfigError, match="is one file for 3 pictures"):
        plan(["x.png"], "-", samples=3)


def test_a_file_that_is_no_picture_is_no_folder_for_results(tmp_path):
    (tmp_path / "notes").write_text("")
    with pytest.raises(ConfigError, match=r"-o .*notes: is no folder. Name a folder, or a file"):
        plan(["x.png"], str(tmp_path / "notes"))


@pytest.mark.parametrize("below", ["/", "/new", "/new/", "/y.png"])
def test_a_file_where_a_folder_should_be_is_named(tmp_path, below):
    path = tmp_path / "text.jpg"
    path.write_text("")
    with pytest.raises(ConfigError) as caught:
        plan(["x.png"], f"{path}{below}")
    assert str(caught.value) == f"-o: is a file, not a folder (got '{path}'). Name another."
