"""The tutorials' commands, in their order, in the smoke preset: each ends as its page says.

Lines of output that do not depend on the machine or the day are compared. `make tutorials` runs it.
docs/FINE_TUNING.md needs gigabytes; tests/stages/test_fine_tuning.py runs its steps in small.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.stages.conftest import smoke  # noqa: F401 - a fixture
from tests.stages.repository import ROOT, environment
from tests.stages.test_experiments import finish_queue

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(7200)]

SECONDS = 1800
# what cannot run here, and why; the rest of the page does
SKIPPED = {
    r"make ui|mlflow ui|source ": "does not end, or only changes a shell",
    r"dvc remote|git add .dvc|git push|dvc push|dvc exp push": "test_team.py has a remote",
    r"dvc pull|dvc exp pull": "test_team.py has a remote",
    r"mlflow server|export MLFLOW": "test_tracking_server.py has a server",
    r"dvc exp run -S \"data.photos|srmodels use": "a folder of the reader's",
}
INSTEAD = {"make repro": "dvc repro && srmodels scores && srmodels machine"}
# lines of output that every run has
STABLE = re.compile(
    r"Stage '.+' (didn't change|is cached)|Running stage '|Queued experiment|Ran experiment|"
    r"Experiment results|Data and pipelines|Git branch|Removed experiments|Changes for|"
    r"models:/\S+$|ERROR: |To append|params.yaml  model|\d+ of \d+ pictures"
)
NAMED = re.compile(r"(?:Reproducing|Queued) experiment '([\w-]+)'")  # DVC invents a name


class Step(NamedTuple):
    """A command of a page, and the output below it; empty if the page shows none."""

    command: str
    output: str


def steps_of(page: str) -> list[Step]:
    """The lines of the ```sh blocks and those after a `$`."""
    steps = []
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").replace("\\\n", " ")
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if kind == "sh":
            steps += [Step(line, "") for line in block.splitlines() if line.strip()]
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:] if not kind else ():
            steps.append(Step(*part.split("\n", 1)))
    return steps


class Reader:
    """Follows a page in a repository; learns the names that DVC invents in place of the page's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, str] = {}
        self.queued: set[str] = set()

    def translate(self, text: str) -> str:
        for ours, theirs in self.names.items():
            text = re.sub(rf"\b{ours}\b", theirs, text)
        return text

    def follow(self, step: Step) -> None:
        command = self.translate(INSTEAD.get(step.command, step.command))
        if command.startswith("dvc queue start"):
            finish_queue(self.folder, self.queued)
            return
        command = re.sub(r"(^|&& )srmodels ", r"\1python -m srmodels.cli.main ", command)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        with (self.folder.parent / "transcript.txt").open("a", encoding="utf-8") as file:
            file.write(f"$ {command}\n{done.stdout}\n")
        assert (done.returncode != 0) == ("ERROR: " in step.output), f"{command}\n{done.stdout}"
        self.names |= dict(
            zip(NAMED.findall(step.output), NAMED.findall(done.stdout), strict=False)
        )
        self.queued |= set(re.findall("Queued experiment '(.+)' for", done.stdout))
        shown = {" ".join(line.split()) for line in done.stdout.splitlines()}
        for line in self.translate(step.output).splitlines():
            assert not STABLE.match(line) or " ".join(line.split()) in shown, (command, line)


@pytest.mark.parametrize("page", ["FIRST_RUN.md", "EXPERIMENTS.md"])
def test_every_command_of_a_tutorial_ends_as_the_page_says(page, smoke, tmp_path) -> None:  # noqa: F811
    # with MLflow's store, which is corrected when it is next used
    folder = shutil.copytree(smoke, tmp_path / "repo", symlinks=True)
    subprocess.run(["git", "branch", "-m", "main"], cwd=folder, check=True)
    photo = next((folder / "data" / "patches" / "test").glob("*.png"))
    shutil.copy(photo, folder / "cat.png")
    picture = np.asarray(Image.open(photo).convert("RGB"))
    pillow_heif.from_pillow(Image.fromarray(picture)).save(folder / "photo.heic")
    (folder / ".git" / "info" / "exclude").write_text("cat.png\nphoto.heic\nlarge*\nreport.html\n")
    reader, steps = Reader(folder), steps_of(page)
    assert len(steps) > 8
    ran = [step for step in steps if not any(re.match(words, step.command) for words in SKIPPED)]
    for step in ran:
        reader.follow(step)
    assert 2 * len(ran) > len(steps)
