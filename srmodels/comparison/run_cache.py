"""Results that only DVC's cache still has, such as those of `dvc repro` after `git checkout .`.

DVC notes each stage that it ran in CACHE/runs, as in dvc.lock, and keeps the outputs by MD5.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import indent
from typing import Any

from ruamel.yaml import YAML

_EVALUATE = "python -m stages.evaluate"
_STAGES = ("evaluate", "gan", "pretrain")  # each with the one that made its input next


@dataclass(frozen=True, kw_only=True)
class CachedRun:
    """A finished evaluation in DVC's cache."""

    name: str  # seven digits of the cache's own digest
    date: datetime
    lock: str  # the text of a dvc.lock with the stages that are known
    digests: dict[str, str]  # MD5 by path of every file that these stages read or wrote
    files: Path

    def read(self, path: str) -> bytes | None:
        """A file's content; None if the cache does not have it."""
        if path == "dvc.lock":
            return self.lock.encode()
        digest = self.digests.get(path, "")
        file = self.files / digest[:2] / digest[2:]
        return file.read_bytes() if digest and file.is_file() else None


def modified(path: Path) -> datetime:
    """When a file was last written, in the local time zone."""
    return datetime.fromtimestamp(path.stat().st_mtime).astimezone()


def cache_folder(root: Path) -> Path | None:
    """The folder of DVC's cache; None outside a DVC repository."""
    if not (root / ".dvc").is_dir():
        return None
    words = [sys.executable, "-m", "dvc", "cache", "dir"]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    return None if done.returncode else root / done.stdout.strip()


def _digests(entry: dict[str, Any]) -> dict[str, str]:
    files = [*entry.get("deps", ()), *entry.get("outs", ())]
    return {file["path"]: file["md5"] for file in files if "md5" in file}


def _chain(evaluation: Path, makers: dict[tuple[str, str], str]) -> Iterator[tuple[str, str]]:
    """Stage and text of an evaluation and of the trainings that made its weights."""
    text = evaluation.read_text(encoding="utf-8")
    for stage in _STAGES:
        yield stage, text
        read = _digests(YAML(typ="safe").load(text))
        wanted = {"evaluate": "generator", "gan": "pretrained"}.get(stage)
        path = f"weights/{wanted}.safetensors"
        text = makers.get((path, read.get(path, "")), "")
        if not text:
            return


def cached_runs(root: Path) -> list[CachedRun]:
    """The evaluations in DVC's cache, newest first."""
    cache = cache_folder(root)
    paths = [path for path in (cache or root).glob("runs/*/*/*") if path.is_file()]
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in paths}
    makers: dict[tuple[str, str], str] = {}
    for text in texts.values():
        if "stages.gan" in text or "stages.pretrain" in text:
            outs = YAML(typ="safe").load(text)["outs"]
            makers |= {(out["path"], out["md5"]): text for out in outs if "md5" in out}
    evaluations = [path for path, text in texts.items() if _EVALUATE in text]
    runs = []
    for path in sorted(evaluations, key=lambda path: path.stat().st_mtime, reverse=True):
        chain = dict(_chain(path, makers))
        blocks = [f"  {stage}:\n{indent(text, '    ')}" for stage, text in chain.items()]
        digests: dict[str, str] = {}
        for text in reversed(chain.values()):
            digests |= _digests(YAML(typ="safe").load(text))
        runs.append(
            CachedRun(
                name=path.name[:7],
                date=modified(path),
                lock="stages:\n" + "".join(blocks),
                digests=digests,
                files=(cache or root) / "files" / "md5",
            )
        )
    return runs
