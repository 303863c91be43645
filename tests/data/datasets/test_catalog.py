"""Sets by name, folders and mixes: from data.photos to folders of photographs."""

import hashlib
from pathlib import Path

import pytest

from srmodels.data.datasets.catalog import (
    ImageFolder,
    members_of,
    official_lr_of,
    resolve_folders,
    set_names,
)
from srmodels.data.datasets.definition import SUFFIXES, read_definition
from srmodels.errors import DataError
from tests.data.datasets.server import serving
from tests.data.datasets.test_archive import packed

ROOT = Path(__file__).parents[3]
DEFINITIONS = sorted((ROOT / "data").glob("[!m]*/*.yaml"))
SPLITS = ("train", "validation", "test")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A repository's folder of data, and a cache beside the repository."""
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path / "cache"))
    (tmp_path / "repo/data").mkdir(parents=True)
    return tmp_path / "repo/data"


@pytest.fixture
def tiny(data, tmp_path):
    """A set of two archives, HR with LR in one of them, served from this machine."""
    with serving() as site:
        first = [("T/HR/1.png", b"1"), ("T/HR/2.png", b"2"), ("T/LR/X4/1x4.png", b"3")]
        packed(tmp_path / "tiny.tar", first)
        packed(tmp_path / "val.zip", [("val/3.png", b"3")])
        text = "about: tiny\narchives:\n"
        for name in ("tiny.tar", "val.zip"):
            site.files[name] = content = (tmp_path / name).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            text += f"  {name}: {{urls: ['{site.url}/{name}'], sha256: {digest}}}\n"
        text += """sources:
  T_HR: {archive: tiny.tar, folder: T/HR, splits: [train, validation], lr: {4: {folder: T/LR/X4}}}
  T_val: {archive: val.zip, folder: val, splits: [test]}
"""
        (data / "tiny").mkdir()
        (data / "tiny/tiny.yaml").write_text(text)
        yield site


def resolve(photos, data, scale=4, official_lr=False):
    return resolve_folders(photos, data=data, scale=scale, official_lr=official_lr)


def test_a_set_by_its_name_is_fetched_unpacked_and_listed(tiny, data, tmp_path):
    unpacked = tmp_path / "cache/unpacked"
    assert resolve("tiny", data) == [
        ImageFolder("T_HR", unpacked / "tiny.tar/T/HR", ("train", "validation"), None),
        ImageFolder("T_val", unpacked / "val.zip/val", ("test",), None),
    ]
    assert (unpacked / "val.zip/val/3.png").read_bytes() == b"3"


def test_a_set_that_is_there_needs_no_server(tiny, data):
    first = resolve("tiny", data)
    tiny.files.clear()
    assert resolve("tiny", data) == first
    assert len(tiny.seen) == 2


def test_official_lr_lies_beside_each_photograph_that_has_one(tiny, data):
    source, without = resolve("tiny", data, official_lr=True)
    lr = official_lr_of(source, source.folder / "1.png", 4)
    assert lr is not None
    assert lr.read_bytes() == b"3"
    assert official_lr_of(source, source.folder / "2.png", 4) is None
    assert without.lr is None


def test_official_lr_that_no_source_has_is_an_error(tiny, data):
    with pytest.raises(DataError, match=r"data\.lr: no official LR at scale 3"):
        resolve("tiny", data, scale=3, official_lr=True)


def test_who_is_offline_learns_of_every_file_at_once(tiny, data, tmp_path):
    tiny.files.clear()
    with pytest.raises(DataError) as caught:
        resolve("tiny", data)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "tiny.tar",
        "val.zip",
    ]


def test_a_folder_is_one_source_for_all_splits(data, tmp_path):
    assert resolve(str(tmp_path), data) == [ImageFolder("", tmp_path, SPLITS, None)]


def test_a_folder_named_as_div2ks_brings_the_lr_beside_it(data, tmp_path):
    (tmp_path / "D_HR").mkdir()
    (tmp_path / "D_LR_bicubic/X4").mkdir(parents=True)
    (source,) = resolve(str(tmp_path / "D_HR"), data, official_lr=True)
    assert source.lr == tmp_path / "D_LR_bicubic/X4"


def mix(data, text):
    (data / "mix").mkdir()
    (data / "mix/mix.yaml").write_text(text)


def test_a_mix_lists_sets_and_folders_under_names_of_their_own(tiny, data, tmp_path):
    mix(data, f"mix: {{t: tiny, mine: {tmp_path}}}")
    assert [source.name for source in resolve("mix", data)] == ["t/T_HR", "t/T_val", "mine"]


@pytest.mark.parametrize(
    "text", ["mix: {}", "mix: [a, b]", "a", "mix: {a/b: tiny}", "mix: {a: mix}", "mix: {a: 3}"]
)
def test_a_mix_that_is_none_says_how_one_is_written(text, data):
    mix(data, text)
    with pytest.raises(DataError, match=r"mix\.yaml: .*mix: \{div2k: div2k, mine: /path"):
        members_of(data)


def test_an_unknown_name_lists_the_sets_with_the_nearest(tiny, data):
    with pytest.raises(DataError, match=r"data\.photos: .*'tinny'.*auto, mix, tiny.*mean tiny\?"):
        resolve("tinny", data)


def test_a_folder_that_is_missing_is_named(data):
    with pytest.raises(DataError, match=r"data\.photos: /no/where is no folder"):
        resolve("/no/where", data)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("about: tiny", "about: [", "cannot be read as YAML"),
        ("archive: val.zip", "archive: no.zip", r"archives: must hold no\.zip"),
        ("splits: [test]", "splits: [tset]", "splits: must be some of train, validation, test"),
        ("urls: ['http", "urls: ['ftp", "begin with http"),
        ("sha256: ", "sha256: x", "sha256: must be 64 hexadecimal digits"),
        ("  T_val:", "  ../T_val:", "must be a plain name"),
        ("folder: val", "folders: val", "unknown key"),
    ],
)
def test_a_wrong_definition_is_named(old, new, sentence, tiny, data):
    path = data / "tiny/tiny.yaml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=rf"tiny\.yaml.*{sentence}"):
        resolve("tiny", data)


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_projects_definitions_are_right(path):
    definition = read_definition(path)
    assert all(name.endswith(SUFFIXES) for name in definition.archives)
    for name, archive in definition.archives.items():
        assert archive.urls[0].endswith(f"/{name}")
        assert archive.sha256 or archive.md5


def test_the_projects_sets_are_the_ones_that_the_readme_names():
    assert set_names(ROOT / "data") == ["bsds", "df2k", "div2k", "flickr2k"]


@pytest.mark.parametrize("name", ["bsds", "df2k", "div2k", "flickr2k"])
def test_every_set_of_the_project_has_photographs_for_every_split(name):
    definitions = [read_definition(path) for path in (ROOT / "data" / name).glob("*.yaml")]
    splits = {s for d in definitions for source in d.sources.values() for s in source.splits}
    assert splits == set(SPLITS)
