"""Outputs are written whole, beside and renamed: never through a link into DVC's cache."""

import ast
import csv
import os
from pathlib import Path

import pytest

from srmodels.atomic import replacing, write_bytes, write_json, write_table

ROOT = Path(__file__).parents[1]
# Files that no stage gives to DVC, by module: what is in .resume, a cache, or a temporary folder.
NOT_OUTPUTS = {
    "srmodels/atomic.py": "this is where files are written",
    "srmodels/comparison/gallery.py": "a temporary folder",
    "srmodels/data/datasets/archive.py": "the cache",
    "srmodels/data/datasets/http.py": "the cache",
    "srmodels/data/executor/time_limit.py": "the folder of unfinished tasks",
    "srmodels/data/patches/worker.py": "the folder of unfinished tasks, whose files are renamed",
    "srmodels/data/photos/thumbnails.py": "a file in .resume",
    "srmodels/data/store/writer.py": "a file that is renamed when it is complete",
    "srmodels/demo/jobs.py": "a visitor's temporary folder",
    "srmodels/demo/server.py": "a temporary folder",
    "srmodels/demo/session.py": "a visitor's temporary folder",
    "srmodels/engine/tracking/curves.py": "the curves in .resume, of which copies are outputs",
    "srmodels/inference/files/upscale_files.py": "a temporary copy of a pipe",
    "srmodels/study/pace.py": "a temporary folder",
    "srmodels/study/queue.py": "the workers' log in .resume",
}


def writes(node: ast.AST) -> bool:
    """Whether a call writes to a file by name."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
    if owner == "shutil":
        return node.func.attr.startswith("copy") and node.func.attr != "copyfileobj"
    if node.func.attr == "open" and owner not in ("Image", "os"):
        modes = [*node.args[:1], *(key.value for key in node.keywords if key.arg == "mode")]
        return any(isinstance(m, ast.Constant) and set(str(m.value)) & set("wax") for m in modes)
    if node.func.attr == "to_csv":
        return bool(node.args)
    return node.func.attr in ("write_text", "write_bytes")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "srmodels").rglob("*.py")) + sorted((ROOT / "stages").glob("*.py"))
)
def test_no_other_module_opens_a_file_to_write(path) -> None:
    if str(path.relative_to(ROOT)) in NOT_OUTPUTS:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if writes(node)]


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_linked_output_is_replaced_and_the_cache_keeps_its_bytes(link, tmp_path) -> None:
    cached, output = tmp_path / "cached", tmp_path / "output"
    cached.write_bytes(b"cached")
    link(cached, output)
    write_bytes(output, output.read_bytes() + b" and more")
    assert cached.read_bytes() == b"cached"
    assert output.read_bytes() == b"cached and more"
    assert not output.is_symlink()


@pytest.mark.parametrize("name", ["n" * 255, "\u00e9" * 127, "e\u0301" * 85, "\U0001f600" * 63])
def test_a_name_of_255_bytes_can_be_written(name, tmp_path) -> None:
    write_bytes(tmp_path / name, b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_table_keeps_names_with_line_ends_quotes_and_bytes_that_are_no_text(tmp_path) -> None:
    names = ["Icon\r", "a\nb", 'q"u', "c,d", "\udcff", "\r\n", " x "]
    write_table(tmp_path / "t.csv", ["name"], [[name] for name in names])
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        assert [row["name"] for row in csv.DictReader(file)] == names


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path) -> None:
    write_json(tmp_path / "x.json", {"old": 1})
    with pytest.raises(TypeError), replacing(tmp_path / "x.json") as file:
        file.write("half")
    assert [path.read_text() for path in tmp_path.iterdir()] == ['{\n  "old": 1\n}\n']
