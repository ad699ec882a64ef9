"""Files beneath a root: never through a link, never out of it, never half a file."""

import os
import socket
import stat
from pathlib import Path

import pytest

from agent.errors import Problem
from agent.sandbox.beneath import Beneath, Listed
from agent.sandbox.owner import Owner

OUTSIDE = "hidden treasure"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(OUTSIDE)
    (tmp_path / "outside").mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "d").mkdir()
    (root / "d" / "a").write_text("inside")
    (root / "to-file").symlink_to(tmp_path / "secret")
    (root / "to-directory").symlink_to(tmp_path)
    (root / "to-inside").symlink_to("d")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "socket"))
    return root


BAD = [
    "",
    "/",
    ".",
    "./",
    "..",
    "../secret",
    "d/../../secret",
    "d/..",
    "/etc/passwd",
    "a\0b",
    "d/",
    "to-file",
    "to-directory/secret",
    "to-inside/a",
    "pipe",
    "socket",
    "d",
    "d/a/b",
    "x" * 256,
    "x/" * 300 + "x",
    "\ud800",
]


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_leads_elsewhere_is_refused_for_reading(root: Path, path: str) -> None:
    with pytest.raises(Problem) as caught:
        Beneath(root).open(path)
    assert caught.value.code == "bad_path"
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_leads_elsewhere_is_refused_for_writing(root: Path, path: str) -> None:
    before = sorted(root.parent.rglob("*"))
    with pytest.raises(Problem) as caught:
        Beneath(root).write(path, b"overwritten")
    assert caught.value.code == "bad_path"
    assert sorted(root.parent.rglob("*")) == before
    assert (root.parent / "secret").read_text() == OUTSIDE


@pytest.mark.parametrize("path", ["d/a", "./d/a", "d//a", "d/./a"])
def test_a_file_is_read(root: Path, path: str) -> None:
    with Beneath(root).open(path) as file:
        assert file.read() == b"inside"


@pytest.mark.parametrize("path", ["missing", "d/missing", "missing/a"])
def test_a_missing_file_is_told_from_a_bad_path(root: Path, path: str) -> None:
    with pytest.raises(Problem) as caught:
        Beneath(root).open(path)
    assert caught.value.code == "no_such_file"
    assert Beneath(root).stat(path) is None


def test_a_missing_root_has_no_files(tmp_path: Path) -> None:
    nowhere = Beneath(tmp_path / "nowhere")
    assert nowhere.files(10) == ()
    assert nowhere.stat("a") is None


def test_a_new_file_gets_its_directories(root: Path) -> None:
    found = Beneath(root).write("new/deep/file", b"content")
    assert (root / "new/deep/file").read_bytes() == b"content"
    assert found.st_size == 7
    assert stat.S_IMODE((root / "new/deep/file").stat().st_mode) == 0o644


def test_what_replaces_a_file_has_its_mode(root: Path) -> None:
    (root / "d" / "a").chmod(0o750)
    Beneath(root).write("d/a", b"other")
    assert stat.S_IMODE((root / "d" / "a").stat().st_mode) == 0o750


def test_a_file_that_is_not_written_to_its_end_never_appears(root: Path) -> None:
    def send() -> None:
        with Beneath(root).replacing("d/a") as file:
            file.write(b"half")
            raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        send()
    assert (root / "d" / "a").read_text() == "inside"
    assert [p.name for p in (root / "d").iterdir()] == ["a"]
    assert list(root.parent.glob(".*")) == []


def test_another_name_of_a_file_keeps_its_content(root: Path) -> None:
    (root / "other-name").hardlink_to(root / "d" / "a")
    Beneath(root).write("d/a", b"new")
    assert (root / "other-name").read_text() == "inside"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_writes_belongs_to_the_owner(root: Path) -> None:
    Beneath(root, Owner(65_533, 65_533)).write("new/file", b"x")
    assert {(root / name).stat().st_uid for name in ("new", "new/file")} == {65_533}


def test_files_are_listed_in_order_without_links_and_special_ones(root: Path) -> None:
    Beneath(root).write("b", b"12")
    changed = (root / "b").stat().st_mtime_ns
    assert [listed.path for listed in Beneath(root).files(10)] == ["b", "d/a"]
    assert Beneath(root).files(1) == (Listed("b", 2, changed),)


def test_a_name_that_is_no_text_is_listed_as_one(root: Path) -> None:
    (root / os.fsdecode(b"\xff")).write_text("x")
    assert "\ufffd" in [listed.path for listed in Beneath(root).files(10)]
