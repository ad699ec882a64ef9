"""read, write and edit: only in the workspace, only what was seen, only within its room."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.errors import Problem
from agent.protocol import JsonObject
from agent.sandbox.capacity import Capacity, Disk
from agent.sandbox.patience import Stop
from agent.sandbox.port import SandboxLimits
from agent.sandbox.workspace import SessionWorkspace
from agent.tools.desk import Desk
from agent.tools.files import PAGE, file_tools, page
from agent.tools.toolbox import Finished, Toolbox
from tests.agent.tools.calls import Calls


class Tools:
    """The file tools as a model calls them."""

    def __init__(self, calls: Calls, executor: ThreadPoolExecutor, mib: int = 10) -> None:
        self.calls = calls
        self._toolbox = Toolbox(file_tools(SandboxLimits(workspace_mib=mib), executor), executor)

    async def __call__(self, tool: str, **arguments: object) -> Finished:
        given: JsonObject = dict(arguments)
        return await self._toolbox.call(tool, given, self.calls())

    @property
    def tree(self) -> Path:
        return self.calls.workspace.tree


@pytest.fixture
def tools(calls: Calls, executor: ThreadPoolExecutor) -> Tools:
    return Tools(calls, executor)


async def test_what_was_written_is_read_with_numbered_lines(tools: Tools) -> None:
    wrote = await tools("write", path="d/a.txt", content="one\ntwo\n")
    read = await tools("read", path="d/a.txt")
    assert wrote.output == "Wrote d/a.txt: 8 bytes, 2 lines."
    assert read.output == "     1\tone\n     2\ttwo\n"


async def test_the_workspaces_absolute_path_is_understood(tools: Tools) -> None:
    await tools("write", path="/workspace/a", content="x")
    assert (await tools("read", path="a")).output == "     1\tx\n"


async def test_a_part_is_read_and_the_rest_announced(tools: Tools) -> None:
    await tools("write", path="a", content="".join(f"{n}\n" for n in range(1, 11)))
    read = await tools("read", path="a", offset=4, limit=2)
    assert read.output == ("     4\t4\n     5\t5\n[lines 4 to 5 of 10; read on with offset 6]")


async def test_reading_behind_the_end_says_where_that_is(tools: Tools) -> None:
    await tools("write", path="a", content="x\n")
    read = await tools("read", path="a", offset=2)
    assert (read.status, read.output) == ("error", "The file has only 1 lines.")


async def test_what_exists_must_be_read_before_it_is_changed(tools: Tools) -> None:
    (tools.tree / "a").write_text("made by a command\n")
    for call in (
        tools("write", path="a", content="x"),
        tools("edit", path="a", old="made", new="x"),
    ):
        refused = await call
        assert (refused.status, "Read it before" in refused.output) == ("error", True)
    await tools("read", path="a")
    edited = await tools("edit", path="./a", old="made", new="changed")
    assert edited.output == "Edited ./a at line 1."
    assert (tools.tree / "a").read_text() == "changed by a command\n"


async def test_what_changed_since_it_was_read_must_be_read_again(tools: Tools) -> None:
    await tools("write", path="a", content="x")
    (tools.tree / "a").write_text("behind your back")
    refused = await tools("write", path="a", content="y")
    assert "changed since you read it" in refused.output
    assert (tools.tree / "a").read_text() == "behind your back"


async def test_ones_own_changes_need_no_reading(tools: Tools) -> None:
    await tools("write", path="a", content="one")
    await tools("edit", path="a", old="one", new="two")
    replaced = await tools("write", path="a", content="three")
    assert replaced.output == "Replaced a: 5 bytes, 1 lines."


async def test_the_oldest_files_must_be_read_again(
    calls: Calls, executor: ThreadPoolExecutor
) -> None:
    desk = Desk(Capacity(SandboxLimits()), None, remembered=2)
    tree = calls.workspace.tree
    for name in "abc":
        desk.replace(tree, name, b"x", Stop())
    with pytest.raises(Problem, match="Read it before"):
        desk.replace(tree, "a", b"y", Stop())


async def test_many_threads_may_remember_and_forget_at_once(tmp_path: Path) -> None:
    desk = Desk(Capacity(SandboxLimits()), None, remembered=1)

    def remember(thread: int) -> int:
        for number in range(3000):
            desk._remember(tmp_path, f"{thread}.{number}", (1, 2, 3))
        return thread

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(remember, range(4))) == [0, 1, 2, 3]
    finally:
        sys.setswitchinterval(switching)
    assert len(desk._seen) == 1


def test_what_would_take_from_the_disks_reserve_is_not_written(tmp_path: Path) -> None:
    nearly_full = Capacity(SandboxLimits(reserve_mib=1), lambda _: Disk(2**20 + 10, 2**40))
    desk = Desk(nearly_full, None)
    assert not desk.replace(tmp_path, "a", b"x" * 10, Stop())
    with pytest.raises(Problem, match="disk is nearly full") as refused:
        desk.replace(tmp_path, "a", b"x" * 11, Stop())
    assert refused.value.code == "no_room"
    assert (tmp_path / "a").read_bytes() == b"x" * 10


async def test_an_edit_that_does_not_match_says_why(tools: Tools) -> None:
    await tools("write", path="a", content="one\ntwo\n")
    edited = await tools("edit", path="a", old="one\n2", new="x")
    assert edited.status == "error"
    assert "line 2 is 'two', not '2'" in edited.output


async def test_a_loose_edit_says_so(tools: Tools) -> None:
    await tools("write", path="a", content="  one\n")
    edited = await tools("edit", path="a", old="\tone ", new="\ttwo")
    assert "White space was taken from the file" in edited.output
    assert (tools.tree / "a").read_text() == "  two\n"


@pytest.mark.parametrize("path", ["link", "dir/secret", "../secret", "/etc/passwd", "pipe"])
async def test_no_file_of_the_server_is_reached(tools: Tools, path: str) -> None:
    secret = tools.tree.parent / "secret"
    secret.write_text("hidden treasure")
    (tools.tree / "link").symlink_to(secret)
    (tools.tree / "dir").symlink_to(secret.parent)
    os.mkfifo(tools.tree / "pipe")
    for call in (
        tools("read", path=path),
        tools("write", path=path, content="x"),
        tools("edit", path=path, old="hidden", new="x"),
    ):
        refused = await call
        assert refused.status == "error"
        assert "treasure" not in refused.output
    assert secret.read_text() == "hidden treasure"


async def test_a_binary_file_is_not_shown(tools: Tools) -> None:
    (tools.tree / "a").write_bytes(b"\x89PNG\0\0")
    assert "binary" in (await tools("read", path="a")).output


async def test_a_huge_file_is_not_read_into_memory(tools: Tools) -> None:
    with (tools.tree / "a").open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    assert "larger than 32 MiB" in (await tools("read", path="a")).output


async def test_a_file_in_another_encoding_can_be_read_but_is_not_edited(tools: Tools) -> None:
    (tools.tree / "a").write_bytes("é\n".encode("latin-1"))
    assert (await tools("read", path="a")).output == "     1\t\ufffd\n"
    assert "not UTF-8" in (await tools("edit", path="a", old="x", new="y")).output


async def test_a_full_workspace_takes_no_file(calls: Calls, executor: ThreadPoolExecutor) -> None:
    tools = Tools(calls, executor, mib=1)
    (tools.tree / "big").write_bytes(b"x" * 900_000)
    refused = await tools("write", path="a", content="x" * 300_000)
    assert "too much for this file" in refused.output
    assert not (tools.tree / "a").exists()
    assert (await tools("write", path="a", content="x")).status == "ok"


async def test_files_that_went_back_must_be_read_again(tools: Tools) -> None:
    await tools("write", path="a", content="one")
    await tools.calls.workspace.checkpoint("t1")
    await tools("write", path="a", content="two")
    await tools.calls.workspace.rewind({"t1"})
    refused = await tools("edit", path="a", old="two", new="three")
    assert "Read it before" in refused.output


async def test_calls_side_by_side_do_not_mix(
    executor: ThreadPoolExecutor, workspace: SessionWorkspace, tools: Tools
) -> None:
    await asyncio.gather(*(tools("write", path=f"f{n}", content=str(n)) for n in range(20)))
    assert {p.name: p.read_text() for p in tools.tree.iterdir()} == {
        f"f{n}": str(n) for n in range(20)
    }


# ---- pages -------------------------------------------------------------------------------------


def test_an_empty_file_says_that_it_is() -> None:
    assert page("", 1, 10) == "[the file is empty]"


def test_a_long_line_is_cut_and_says_so() -> None:
    assert page("x" * 2100, 1, 10) == f"     1\t{'x' * 2000} [... 100 more characters]\n"


def test_a_page_ends_before_it_would_be_cut() -> None:
    text = page("\n".join(["x" * 1000] * 100), 1, 100)
    assert len(text) <= PAGE + 100
    assert text.endswith("[lines 1 to 23 of 100; read on with offset 24]")


def test_a_page_has_at_least_one_line() -> None:
    assert page("x\ny", 2, 1) == "     2\ty\n"
