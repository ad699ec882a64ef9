"""After a crash every state is right before anybody asks, wherever a log ends."""

import asyncio
from pathlib import Path

import pytest

from agent.models.port import Text
from agent.protocol import (
    Approval,
    Decision,
    Interrupt,
    Resume,
    SetModel,
    UserInput,
)
from server.sessions.loading import load_history
from server.sessions.rows import indexed
from server.store.port import Append, NewSession
from tests.server.sessions.house import ADA, AT, CONTEXT, House, asks, drafted, eventually, house
from tests.server.sessions.test_manager import assert_nothing_left, held_queue


async def whole_story(home: House, session: str) -> None:
    """A turn that asks and is allowed, one that is interrupted, and a queue."""
    home.model.script.extend([asks(), (Text("Published."),), (Text("And"), asyncio.Event())])
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Publish"))
        asked = await watcher.until("approval_required")
        ruling = Decision(asked["calls"][0]["call"], "approve")
        await home.manager.submit(session, ADA, Approval("c2", (ruling,)))
        await watcher.until("turn_ended")
        await home.manager.submit(session, ADA, UserInput("c3", "Talk"))
        await watcher.until("text_delta", 2)
        await home.manager.submit(session, ADA, UserInput("c4", "Later"))
        await home.manager.submit(session, ADA, Interrupt("c5"))
        await home.manager.submit(session, ADA, Resume("c6"))
        await watcher.until("turn_ended", 3)


async def cut(home: House, source: str, through: int) -> str:
    """A session whose log is the first `through` events of another, as a crash leaves it."""
    name = f"cut_{through}"
    bodies = (await home.store.events_after(source, 0, limit=through, max_bytes=10**9)).bodies
    first, last = [
        indexed((await load_history(home.store, source, through=n)).digest(CONTEXT))
        for n in (1, through)
    ]
    await home.store.create(NewSession(name, "ada", AT, bodies[0], first, 1000))
    if through > 1:
        await home.store.append(Append(name, 2, AT, bodies[1:], (), (), (), last))
    return name


async def test_a_log_may_end_anywhere_and_is_settled_before_the_server_is_ready(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as home:
        source = await home.session()
        await whole_story(home, source)
        length = (await home.stored(source)).head
        names = [await cut(home, source, through) for through in range(1, length + 1)]
    async with house(tmp_path) as home:
        await home.manager.recover()
        for name in names:
            events = await home.log(name)
            types = [event["type"] for event in events]
            assert types.count("turn_started") - types.count("turn_ended") in (0, 1), name
            parked = types[-1] == "approval_required"
            row = await home.stored(name)
            assert row.indexed.state == ("awaiting_approval" if parked else "idle"), (name, types)
            assert row.head == len(events)
            if row.indexed.queue:
                assert row.indexed.held or parked, name
        assert await home.store.unsettled() == ()
        assert home.model.asked == 0
        assert_nothing_left(home)


async def killed(home: House, session: str) -> None:
    """As if the process had gone: the actor writes no more, and says nothing."""
    home.store.mood = "fails"
    live = home.manager._live.pop(session)
    await live.session.discard()
    home.store.mood = "well"


async def test_what_was_shown_of_a_sentence_outlives_a_crash_and_its_drafts_do_not(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as home:
        session = await home.session()
        home.model.script.append((Text("Half a sentence"), asyncio.Event()))
        async with home.watch(session):
            await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
            await drafted(home, session)
        await killed(home, session)
        home.manager._channels.release(session)
    async with house(tmp_path) as home:
        await home.manager.recover()
        events = await home.log(session)
        said = next(event for event in events if event["type"] == "assistant_message")
        assert (said["text"], said["partial"]) == ("Half a sentence", True)
        assert (events[-1]["status"], events[-1]["reason"]) == ("interrupted", "server_restart")
        assert await home.store.drafts(session) == ()
        assert await home.store.unsettled() == ()


async def test_a_held_queue_stays_held_over_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        session = await home.session()
        await held_queue(home, session)
    async with house(tmp_path) as home:
        await home.manager.recover()
        assert (await home.stored(session)).indexed.held
        await home.manager.submit(session, ADA, Resume("c9"))
        await eventually(lambda: home.model.asked == 1)


async def test_one_damaged_log_keeps_no_other_from_being_recovered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path) as home:
        bad, good = await home.session(), await home.session()
        for session in (bad, good):
            home.model.script.append((asyncio.Event(),))
            await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
            await eventually(lambda: not home.model.script)
            await killed(home, session)
        row = await home.stored(bad)
        body = b'{"seq":%d,"at":"%s","type":"nonsense"}' % (row.head + 1, AT.encode())
        await home.store.append(Append(bad, row.head + 1, AT, (body,), (), (), (), row.indexed))
    async with house(tmp_path) as home:
        await home.manager.recover()
        assert (await home.stored(good)).indexed.state == "idle"
        assert (await home.stored(bad)).indexed.state == "running"
        assert bad in caplog.text


async def test_a_disk_that_is_full_at_the_start_is_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        session = await home.session()
        home.model.script.append((asyncio.Event(),))
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        await killed(home, session)
    async with house(tmp_path) as home:
        home.store.mood = "fails"
        await home.manager.recover()
        home.store.mood = "well"
        async with home.watch(session) as watcher:
            await watcher.until("turn_ended")
        await home.manager.submit(session, ADA, SetModel("c2", "other"))
