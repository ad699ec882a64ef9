"""Stored sessions: forked exactly, erased wholly, and told of where people look."""

import asyncio
from pathlib import Path

import pytest

from agent.errors import Problem
from agent.models.port import Text
from agent.protocol import SetModel, UserInput
from server.errors import NoSuchSession, Refusal
from tests.server.sessions.house import ADA, House, asks, eventually, house
from tests.server.sessions.test_manager import assert_nothing_left, held_queue


async def one_turn(home: House, session: str, id: str) -> None:
    done = (await home.types(session)).count("turn_ended")
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput(id, f"Say {id}"))
        await watcher.until("turn_ended", done + 1)


async def test_a_fork_is_an_exact_prefix_with_its_receipts(home: House) -> None:
    session = await home.session()
    for id in ("c1", "c2"):
        await one_turn(home, session, id)
    whole = await home.log(session)
    first = whole[1]["turn"]
    row = await home.archive.fork(session, ADA, first)
    copy = await home.log(row.id)
    assert copy[0]["forked_from"] == {"session": session, "turn": first}
    assert copy[1:] == whole[1 : len(copy)]
    assert copy[-1]["type"] == "turn_ended"
    assert (await home.stored(row.id)).head == len(copy)
    again = await home.manager.submit(row.id, ADA, UserInput("c1", "Say c1"))
    assert (again.seq, again.duplicate) == (2, True)
    later = await home.manager.submit(row.id, ADA, UserInput("c2", "Say c2"))
    assert not later.duplicate


async def test_what_the_prefix_leaves_queued_is_withdrawn_in_the_fork(home: House) -> None:
    session = await home.session()
    await held_queue(home, session)
    row = await home.archive.fork(session, ADA, None)
    assert (await home.types(row.id))[-1] == "input_withdrawn"
    assert (row.indexed.queue, row.indexed.state) == (0, "idle")
    assert (await home.stored(session)).indexed.queue == 1


async def test_files_that_are_as_they_were_need_no_notice_and_others_have_one(
    home: House,
) -> None:
    session = await home.session()
    await one_turn(home, session, "c1")
    await one_turn(home, session, "c2")
    turns = [e["turn"] for e in await home.log(session) if e["type"] == "turn_started"]
    workspace = home.workspaces.of(session)
    (workspace.tree / "a").write_text("before the second turn")
    exact = await home.archive.fork(session, ADA, turns[-1])
    assert (home.workspaces.of(exact.id).tree / "a").read_text() == "before the second turn"
    assert "notice" not in await home.types(exact.id)
    await workspace.checkpoint(turns[1])
    (workspace.tree / "a").write_text("changed by it")
    earlier = await home.archive.fork(session, ADA, turns[0])
    assert (home.workspaces.of(earlier.id).tree / "a").read_text() == "before the second turn"


@pytest.mark.parametrize("after", [None, "t_none"])
async def test_what_is_not_there_cannot_be_forked(after: str | None, home: House) -> None:
    session = await home.session()
    with pytest.raises(Refusal) as refusal:
        await home.archive.fork(session, ADA, after)
    assert (refusal.value.status, refusal.value.code) == (409, "no_such_turn")
    with pytest.raises(NoSuchSession):
        await home.archive.fork("s_none", ADA, after)


async def test_an_open_turn_is_not_forked(home: House) -> None:
    session = await home.session()
    home.model.script.append(asks())
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Publish"))
        asked = await watcher.until("approval_required")
    for after in (None, asked["turn"]):
        with pytest.raises(Refusal):
            await home.archive.fork(session, ADA, after)


async def test_a_fork_beyond_the_quota_leaves_no_files(tmp_path: Path) -> None:
    async with house(tmp_path, sessions_per_user=1) as home:
        session = await home.session()
        await one_turn(home, session, "c1")
        (home.workspaces.of(session).tree / "a").write_text("a")
        with pytest.raises(Problem) as problem:
            await home.archive.fork(session, ADA, None)
        assert problem.value.code == "too_many_sessions"
        assert [p.name for p in (tmp_path / "workspaces").iterdir()] == [session]


async def test_what_is_erased_takes_its_files_its_agent_and_its_viewers_along(
    home: House, tmp_path: Path
) -> None:
    session = await home.session()
    (home.workspaces.of(session).tree / "a").write_text("a")
    home.model.script.append((Text("Half"), asyncio.Event()))
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        await watcher.until("text_delta")
        await home.archive.erase(session)
        assert (await watcher.until("bye"))["code"] == 4404
    assert await home.store.row(session) is None
    assert list((tmp_path / "workspaces").iterdir()) == []
    assert home.slots.running == 0
    assert_nothing_left(home)


async def test_what_could_not_be_erased_lives_on_and_its_turn_ends(home: House) -> None:
    session = await home.session()
    home.model.script.append((asyncio.Event(),))
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        home.store.forgets_to_delete = True
        with pytest.raises(Problem):
            await home.archive.erase(session)
        home.store.forgets_to_delete = False
        assert (await watcher.until("turn_ended"))["status"] == "failed"
        await home.manager.submit(session, ADA, SetModel("c2", "other"))


async def test_viewers_hear_of_the_end_also_when_the_files_cannot_be_erased(
    home: House, tmp_path: Path
) -> None:
    session = await home.session()
    _ = home.workspaces.of(session).tree
    async with home.watch(session) as watcher:
        # Something is in the way of the sweep: a file where a folder has to be.
        folder = tmp_path / "workspaces" / session / "checkpoints"
        folder.write_text("no folder")
        with pytest.raises(Problem):
            await home.archive.erase(session)
        assert (await watcher.until("bye"))["code"] == 4404
    with pytest.raises(NoSuchSession):
        await home.manager.row(session)


async def test_dashboards_hear_of_what_is_made_forked_and_erased(home: House) -> None:
    with home.fleet.view("ada") as mine, home.fleet.view("bob") as his:
        session = await home.session()
        await one_turn(home, session, "c1")
        fork = await home.archive.fork(session, ADA, None)
        await home.archive.erase(session)
        changed, gone = mine.take()
        assert fork.id in [home.fleet.row_of(c).id for c in changed]
        assert gone == (session,)
        assert his.take()[0] == []


async def test_sessions_are_listed_through_the_archive(home: House) -> None:
    session = await home.session()
    page = await home.archive.page("ada", limit=10, cursor=None, q="", state="")
    assert [row.id for row in page.rows] == [session]
    row, new = await home.archive.create(ADA, "T", "scripted", "key")
    assert new
    assert await home.archive.create(ADA, "T", "scripted", "key") == (row, False)
    await eventually(lambda: not home.manager._tasks)


async def test_files_of_sessions_that_are_not_there_are_freed_and_no_others(home: House) -> None:
    session = await home.session()
    kept = home.workspaces.of(session).tree / "kept.txt"
    kept.write_text("mine")
    (home.workspaces.of("s_gone").tree / "left.txt").write_text("nobody's")
    assert set(await home.workspaces.names()) == {session, "s_gone"}
    await home.archive.sweep()
    assert await home.workspaces.names() == (session,)
    assert kept.read_text() == "mine"


async def test_without_any_workspace_there_is_nothing_to_free(home: House) -> None:
    await home.archive.sweep()
    assert await home.workspaces.names() == ()
