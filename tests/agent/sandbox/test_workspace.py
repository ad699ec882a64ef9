"""Checkpoints and going back: what was, is again; and a kill at any instant changes nothing."""

import asyncio
import os
import stat
import threading
from concurrent.futures import Executor, Future
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.errors import Problem
from agent.sandbox.owner import sandbox_owner
from agent.sandbox.workspace import SessionWorkspace
from tests.agent.sandbox.trees import Snapshot, snapshot

OWNER = sandbox_owner()


@pytest.fixture
def workspace(tmp_path: Path, executor: Executor) -> SessionWorkspace:
    return SessionWorkspace(tmp_path / "session", executor)


def write(workspace: SessionWorkspace, name: str, text: str) -> Path:
    path = workspace.tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if OWNER:
        for place in (path, path.parent):
            os.chown(place, OWNER.uid, OWNER.gid)
    return path


def checkpoint_files(tmp_path: Path) -> list[Path]:
    return [p for p in (tmp_path / "session" / "checkpoints").rglob("files/**/*") if p.is_file()]


async def test_a_new_workspace_is_an_empty_directory_of_the_sandboxes_user(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    assert list(workspace.tree.iterdir()) == []
    assert workspace.tree.stat().st_uid == (OWNER.uid if OWNER else os.geteuid())
    assert stat.S_IMODE((tmp_path / "session").stat().st_mode) == 0o700


async def test_rewinding_brings_back_files_links_modes_and_empty_directories(
    workspace: SessionWorkspace,
) -> None:
    write(workspace, "kept/a", "as it was").chmod(0o750)
    (workspace.tree / "empty").mkdir(mode=0o711)
    (workspace.tree / "link").symlink_to("/etc/passwd")
    before = snapshot(workspace.tree)
    await workspace.checkpoint("t1")
    write(workspace, "kept/a", "other")
    write(workspace, "new/b", "new")
    (workspace.tree / "empty").rmdir()
    (workspace.tree / "link").unlink()
    assert await workspace.rewind({"t1"})
    assert snapshot(workspace.tree) == before


async def test_only_the_first_checkpoint_of_a_turn_counts(workspace: SessionWorkspace) -> None:
    write(workspace, "a", "first")
    await workspace.checkpoint("t1")
    write(workspace, "a", "second")
    await workspace.checkpoint("t1")
    await workspace.rewind({"t1"})
    assert (workspace.tree / "a").read_text() == "first"


async def test_undoing_several_turns_goes_back_to_before_the_first(
    workspace: SessionWorkspace,
) -> None:
    for number in range(4):
        write(workspace, "a", str(number))
        await workspace.checkpoint(f"t{number}")
    write(workspace, "a", "last")
    await workspace.rewind({"t3", "t2", "unknown"})
    assert (workspace.tree / "a").read_text() == "2"
    await workspace.rewind({"t3", "t2", "t1"})
    assert (workspace.tree / "a").read_text() == "1"


async def test_rewinding_twice_is_rewinding_once(workspace: SessionWorkspace) -> None:
    write(workspace, "a", "before")
    await workspace.checkpoint("t1")
    write(workspace, "a", "after")
    assert await workspace.rewind({"t1"})
    write(workspace, "a", "later work")
    assert await workspace.rewind({"t1"})
    assert (workspace.tree / "a").read_text() == "later work"


async def test_an_undone_turn_that_changed_no_files_changes_none(
    workspace: SessionWorkspace,
) -> None:
    write(workspace, "a", "x")
    tree = workspace.tree
    assert await workspace.rewind({"t1"})
    assert workspace.tree == tree


async def test_unchanged_files_are_stored_once(workspace: SessionWorkspace, tmp_path: Path) -> None:
    write(workspace, "same", "s" * 1000)
    for number in range(5):
        write(workspace, "changing", str(number))
        await workspace.checkpoint(f"t{number}")
    same = {p.stat().st_ino for p in checkpoint_files(tmp_path) if p.name == "same"}
    changing = {p.stat().st_ino for p in checkpoint_files(tmp_path) if p.name == "changing"}
    assert (len(same), len(changing)) == (1, 5)


async def test_unchanged_files_are_stored_once_also_after_going_back(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    for name in "abc":
        write(workspace, name, name)
    await workspace.checkpoint("t1")
    write(workspace, "a", "changed")
    await workspace.rewind({"t1"})
    await workspace.checkpoint("t2")
    assert len({p.stat().st_ino for p in checkpoint_files(tmp_path)}) == 3


async def test_a_change_that_hides_its_time_and_size_is_still_seen(
    workspace: SessionWorkspace,
) -> None:
    path = write(workspace, "a", "before")
    found = path.stat()
    await workspace.checkpoint("t1")
    path.write_text("behind")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    await workspace.checkpoint("t2")
    path.write_text("x")
    await workspace.rewind({"t2"})
    assert (workspace.tree / "a").read_text() == "behind"


async def test_a_checkpoint_shares_no_file_with_the_tree(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    write(workspace, "a", "x")
    await workspace.checkpoint("t1")
    await workspace.rewind({"t1"})
    await workspace.checkpoint("t2")
    in_tree = {p.stat().st_ino for p in workspace.tree.rglob("*")}
    assert in_tree.isdisjoint({p.stat().st_ino for p in checkpoint_files(tmp_path)})


async def test_pipes_and_sockets_are_left_out_and_do_not_block(
    workspace: SessionWorkspace,
) -> None:
    os.mkfifo(workspace.tree / "pipe")
    write(workspace, "a", "x")
    await workspace.checkpoint("t1")
    await workspace.rewind({"t1"})
    assert [p.name for p in workspace.tree.iterdir()] == ["a"]


async def test_a_hole_of_a_terabyte_costs_nothing(workspace: SessionWorkspace) -> None:
    with (workspace.tree / "sparse").open("wb") as file:
        file.write(b"head")
        file.truncate(1 << 40)
    await workspace.checkpoint("t1")
    await workspace.rewind({"t1"})
    found = (workspace.tree / "sparse").stat()
    assert (found.st_size, found.st_blocks < 100) == (1 << 40, True)
    with (workspace.tree / "sparse").open("rb") as file:
        assert file.read(6) == b"head\0\0"


async def test_set_user_id_bits_do_not_reach_files_of_the_server(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    write(workspace, "a", "x").chmod(0o4755)
    await workspace.checkpoint("t1")
    assert [oct(p.stat().st_mode & 0o7777) for p in checkpoint_files(tmp_path)] == ["0o755"]


async def test_what_comes_back_belongs_to_the_sandboxes_user(workspace: SessionWorkspace) -> None:
    write(workspace, "d/a", "x")
    (workspace.tree / "link").symlink_to("a")
    await workspace.checkpoint("t1")
    await workspace.rewind({"t1"})
    uid = OWNER.uid if OWNER else os.geteuid()
    assert {p.lstat().st_uid for p in workspace.tree.rglob("*")} == {uid}


async def test_old_checkpoints_make_room_and_what_needs_them_is_told_once(
    tmp_path: Path, executor: Executor
) -> None:
    workspace = SessionWorkspace(tmp_path / "session", executor, keep=2)
    for number in range(4):
        write(workspace, "a", str(number))
        await workspace.checkpoint(f"t{number}")
    assert len(list((tmp_path / "session" / "checkpoints").iterdir())) == 2
    assert await workspace.rewind({"t3", "t2"})
    assert not await workspace.rewind({"t3", "t2", "t1"})
    assert (workspace.tree / "a").read_text() == "2"
    assert await workspace.rewind({"t3", "t2", "t1"})


async def test_checkpoints_take_no_more_room_than_allowed(
    tmp_path: Path, executor: Executor
) -> None:
    workspace = SessionWorkspace(tmp_path / "session", executor, keep_mib=2)
    for number in range(4):
        write(workspace, "a", str(number) * 1024 * 1024)
        await workspace.checkpoint(f"t{number}")
    assert len(checkpoint_files(tmp_path)) == 2


async def test_a_workspace_that_an_operator_deleted_is_empty_again(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    write(workspace, "a", "x")
    await workspace.checkpoint("t1")
    await workspace.delete()
    assert not (tmp_path / "session").exists()
    assert list(workspace.tree.iterdir()) == []
    await workspace.checkpoint("t2")
    assert await workspace.rewind({"t1", "t2"})


async def test_a_checkpoint_that_an_operator_deleted_is_missed(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    write(workspace, "a", "x")
    await workspace.checkpoint("t1")
    (tmp_path / "session" / "checkpoints").rename(tmp_path / "elsewhere")
    write(workspace, "a", "y")
    assert not await workspace.rewind({"t1"})
    assert (workspace.tree / "a").read_text() == "y"


async def test_a_damaged_state_says_so_and_what_to_do(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    write(workspace, "a", "x")
    (tmp_path / "session" / "state.json").write_text("{")
    with pytest.raises(Problem, match="delete") as caught:
        await workspace.checkpoint("t1")
    assert caught.value.code == "workspace_damaged"
    assert "/" not in caught.value.message
    await workspace.delete()
    assert not (tmp_path / "session").exists()


async def test_a_workspace_that_cannot_be_made_is_a_problem(
    tmp_path: Path, executor: Executor
) -> None:
    (tmp_path / "session").write_text("in the way")
    with pytest.raises(Problem) as caught:
        await SessionWorkspace(tmp_path / "session", executor).checkpoint("t1")
    assert caught.value.code == "workspace_unusable"
    assert "/" not in caught.value.message


async def test_size_counts_the_files_and_delete_leaves_nothing(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    write(workspace, "d/a", "x" * 100_000)
    await workspace.checkpoint("t1")
    assert 100_000 <= await workspace.size() < 200_000
    await workspace.delete()
    assert list(tmp_path.iterdir()) == []


async def test_a_tree_too_deep_for_a_path_is_deleted(
    workspace: SessionWorkspace, tmp_path: Path
) -> None:
    here = os.open(workspace.tree, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("directory", dir_fd=here)
        there = os.open("directory", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
    await workspace.checkpoint("t1")
    await workspace.delete()
    assert list(tmp_path.iterdir()) == []


# ---- forks -------------------------------------------------------------------------------------


async def test_a_fork_has_the_files_as_they_were_after_its_turn(
    workspace: SessionWorkspace, tmp_path: Path, executor: Executor
) -> None:
    for number in range(3):
        await workspace.checkpoint(f"t{number}")
        write(workspace, "a", f"after t{number}")
    cases: list[tuple[str, list[str], str]] = [
        ("t0", ["t1", "t2"], "after t0"),
        ("t1", ["none", "t2"], "after t1"),
        ("t2", [], "after t2"),
    ]
    for turn, later, text in cases:
        assert await workspace.copy_as_of(turn, later, tmp_path / turn)
        fork = SessionWorkspace(tmp_path / turn, executor)
        assert (fork.tree / "a").read_text() == text
        assert (fork.tree / "a").stat().st_uid == (OWNER.uid if OWNER else os.geteuid())


async def test_a_fork_says_when_its_files_are_gone(tmp_path: Path, executor: Executor) -> None:
    workspace = SessionWorkspace(tmp_path / "session", executor, keep=1)
    for number in range(3):
        await workspace.checkpoint(f"t{number}")
        write(workspace, "a", f"after t{number}")
    assert not await workspace.copy_as_of("t0", ["t1", "t2"], tmp_path / "dropped")
    await workspace.rewind({"t2"})
    assert not await workspace.copy_as_of("t2", [], tmp_path / "undone")
    fork = SessionWorkspace(tmp_path / "undone", executor)
    assert (fork.tree / "a").read_text() == "after t1"


async def test_a_fork_copy_that_was_cut_short_is_not_taken_for_one(
    workspace: SessionWorkspace, tmp_path: Path, executor: Executor
) -> None:
    write(workspace, "a", "x")
    await workspace.copy_as_of(None, [], tmp_path / "fork")
    (tmp_path / "fork" / "state.json").unlink()
    fork = SessionWorkspace(tmp_path / "fork", executor)
    assert list(fork.tree.iterdir()) == []


# ---- interruptions -----------------------------------------------------------------------------


class KillingExecutor(Executor):
    """Runs work at once, and breaks it off at one of its looks at whether it shall stop."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(Countdown(self._steps)))
        except OSError as error:
            future.set_exception(error)
        return future


class Countdown(threading.Event):
    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def is_set(self) -> bool:
        self._left -= 1
        if self._left < 0:
            raise OSError("killed")
        return False


def filled(workspace: SessionWorkspace) -> Snapshot:
    for name in ("a", "b/c", "b/d", "e/f/g"):
        write(workspace, name, name)
    return snapshot(workspace.tree)


@pytest.mark.parametrize("steps", range(12))
async def test_a_checkpoint_that_was_killed_at_any_step_never_was(
    tmp_path: Path, executor: Executor, steps: int
) -> None:
    workspace = SessionWorkspace(tmp_path / "session", executor)
    filled(workspace)
    await workspace.checkpoint("t1")
    write(workspace, "a", "changed")
    then = snapshot(workspace.tree)
    killed = SessionWorkspace(tmp_path / "session", KillingExecutor(steps))
    done = await survived(killed.checkpoint("t2"))
    again = SessionWorkspace(tmp_path / "session", executor)
    assert snapshot(again.tree) == then
    await again.checkpoint("t2")
    write(again, "b/c", "more")
    assert await again.rewind({"t2"})
    assert snapshot(again.tree) == then
    assert leftovers(tmp_path) == [] or done


@pytest.mark.parametrize("steps", range(24))
async def test_a_rewind_that_was_killed_at_any_step_is_finished_by_the_next(
    tmp_path: Path, executor: Executor, steps: int
) -> None:
    workspace = SessionWorkspace(tmp_path / "session", executor)
    before = filled(workspace)
    await workspace.checkpoint("t1")
    write(workspace, "a", "changed")
    (workspace.tree / "b" / "c").unlink()
    after = snapshot(workspace.tree)
    await survived(SessionWorkspace(tmp_path / "session", KillingExecutor(steps)).rewind({"t1"}))
    again = SessionWorkspace(tmp_path / "session", executor)
    assert snapshot(again.tree) in (before, after)
    assert await again.rewind({"t1"})
    assert snapshot(again.tree) == before
    assert leftovers(tmp_path) == []


async def survived(work: Any) -> bool:
    try:
        await work
    except Problem:
        return False
    return True


def leftovers(tmp_path: Path) -> list[str]:
    """Directories that the state does not name."""
    root = tmp_path / "session"
    state = msgspec.json.decode((root / "state.json").read_bytes())
    numbers = {str(kept["number"]) for kept in state["kept"]} | {str(state["basis"])}
    trees = [p.name for p in (root / "trees").iterdir() if p.name != str(state["tree"])]
    places = (root / "checkpoints").iterdir()
    return trees + [p.name for p in places if p.name not in numbers]


async def test_cancelling_stops_the_work_before_it_returns(
    tmp_path: Path, executor: Executor
) -> None:
    workspace = SessionWorkspace(tmp_path / "session", executor)
    for number in range(300):
        write(workspace, f"f{number}", "x")
    numbers = count()
    while await is_quicker(workspace, next(numbers), tmp_path / "session"):
        pass
    now = sorted((tmp_path / "session").rglob("*"))
    assert await workspace.rewind({f"t{number}" for number in range(next(numbers))})
    assert len(now) > 300
    await workspace.checkpoint("last")
    assert leftovers(tmp_path) == []


async def is_quicker(workspace: SessionWorkspace, number: int, root: Path) -> bool:
    """Whether a checkpoint was made before the loop came to cancel it."""
    before = set(root.glob("checkpoints/*"))
    task = asyncio.create_task(workspace.checkpoint(f"t{number}"))
    while not set(root.glob("checkpoints/*")) - before:  # noqa: ASYNC110
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return False
    return True


async def test_work_on_one_workspace_takes_turns(workspace: SessionWorkspace) -> None:
    write(workspace, "a", "x")
    await asyncio.gather(*(workspace.checkpoint(f"t{n}") for n in range(5)))
    write(workspace, "a", "y")
    results = await asyncio.gather(*(workspace.rewind({"t4", "t3"}) for _ in range(3)))
    assert results == [True, True, True]
    assert (workspace.tree / "a").read_text() == "x"
