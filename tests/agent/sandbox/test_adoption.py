"""What a person puts into a workspace outlives the undoing of every turn."""

import os
from concurrent.futures import Executor
from pathlib import Path

import pytest

from agent.sandbox.beneath import Beneath
from agent.sandbox.mirror import seal_of
from agent.sandbox.owner import sandbox_owner
from agent.sandbox.seals import read_seals
from agent.sandbox.workspace import SessionWorkspace


@pytest.fixture
def workspace(tmp_path: Path, executor: Executor) -> SessionWorkspace:
    return SessionWorkspace(tmp_path / "session", executor)


def write(workspace: SessionWorkspace, name: str, text: str) -> None:
    Beneath(workspace.tree, sandbox_owner()).write(name, text.encode())


async def upload(workspace: SessionWorkspace, **files: str) -> None:
    def place() -> None:
        for name, text in files.items():
            write(workspace, name, text)

    await workspace.adopt(files.keys(), place)


def texts(workspace: SessionWorkspace) -> dict[str, str]:
    return {path.name: path.read_text() for path in workspace.tree.iterdir() if path.is_file()}


def checkpoints(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "session" / "checkpoints").iterdir())


async def test_an_upload_without_checkpoints_is_just_there(workspace: SessionWorkspace) -> None:
    await upload(workspace, a="1")
    assert texts(workspace) == {"a": "1"}


async def test_an_upload_outlives_the_undoing_of_every_turn_before_it(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    for turn in ("t1", "t2", "t3"):
        await workspace.checkpoint(turn)
        write(workspace, turn, "by the agent")
    await upload(workspace, a="1", b="2")
    assert {(place / "files" / "a").stat().st_nlink for place in checkpoints(tmp_path)} == {3}
    assert await workspace.rewind({"t3"})
    assert texts(workspace) == {"t1": "by the agent", "t2": "by the agent", "a": "1", "b": "2"}
    assert await workspace.rewind({"t1", "t2"})
    assert texts(workspace) == {"a": "1", "b": "2"}
    assert not (tmp_path / "session" / "adopted").exists()


async def test_what_an_upload_replaced_does_not_come_back(workspace: SessionWorkspace) -> None:
    write(workspace, "a", "old")
    await workspace.checkpoint("t1")
    await workspace.checkpoint("t2")
    await upload(workspace, a="new")
    write(workspace, "a", "changed by the agent")
    await workspace.checkpoint("t3")
    assert await workspace.rewind({"t3"})
    assert texts(workspace) == {"a": "changed by the agent"}
    assert await workspace.rewind({"t1", "t2"})
    assert texts(workspace) == {"a": "new"}


async def test_an_upload_takes_the_place_of_a_folder_or_a_link_of_then(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    write(workspace, "folder/deep/x", "x")
    (workspace.tree / "link").symlink_to(tmp_path)
    await workspace.checkpoint("t1")
    (workspace.tree / "link").unlink()
    (workspace.tree / "folder" / "deep" / "x").unlink()
    (workspace.tree / "folder" / "deep").rmdir()
    (workspace.tree / "folder").rmdir()
    await upload(workspace, link="1", folder="2")
    assert await workspace.rewind({"t1"})
    assert texts(workspace) == {"link": "1", "folder": "2"}


async def test_seals_stay_truthful_and_an_upload_is_stored_once(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    write(workspace, "a", "old")
    await workspace.checkpoint("t1")
    await upload(workspace, a="new")
    assert read_seals(checkpoints(tmp_path)[0])["a"] == seal_of((workspace.tree / "a").stat())
    await workspace.checkpoint("t2")
    first, second = ((place / "files" / "a").stat() for place in checkpoints(tmp_path))
    assert first.st_ino == second.st_ino


async def test_a_closed_folder_of_then_stays_as_it_was(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    workspace.tree.chmod(0o555)
    await workspace.checkpoint("t1")
    (files,) = (place / "files" for place in checkpoints(tmp_path))
    before = files.stat()
    workspace.tree.chmod(0o755)
    await upload(workspace, a="1")
    after = files.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert (files / "a").read_text() == "1"


async def test_what_cannot_be_placed_changes_no_checkpoint(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    write(workspace, "a", "old")
    await workspace.checkpoint("t1")

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await workspace.adopt(["a"], fail)
    assert (checkpoints(tmp_path)[0] / "files" / "a").read_text() == "old"


async def test_what_is_no_file_any_more_is_not_adopted(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    await workspace.checkpoint("t1")
    await workspace.adopt(["gone", "pipe"], lambda: os.mkfifo(workspace.tree / "pipe"))
    assert list((checkpoints(tmp_path)[0] / "files").iterdir()) == []
