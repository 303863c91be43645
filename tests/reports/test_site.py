"""`make docs`: the site is complete and needs no other server."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path) -> None:
    done = subprocess.run(
        ["mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    pages = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.html")}
    assert pages.keys() >= {path.stem for path in (ROOT / "docs").glob("[A-Z]*.md")} - {"README"}
    assert "--self-ensemble" in pages["CLI"]
    assert "srmodels.evaluation.scores" in pages["PACKAGE"]
    assert 'href="CONTRIBUTING.html"' in pages["index"]
    for page in pages.values():
        loaded = re.findall(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"?([^\" >]+)", page)
        outside = [address for address in loaded if not address.startswith("data:")]
        assert not [address for address in outside if "//" in address]
