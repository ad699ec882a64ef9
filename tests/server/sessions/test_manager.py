"""Sessions wake when they are needed, rest out of memory, and are nobody else's."""

import asyncio
import gc
import weakref
from pathlib import Path

import pytest

from agent.errors import Refused
from agent.models.port import Text
from agent.protocol import (
    Approval,
    Decision,
    Interrupt,
    SetAutoApproval,
    SetModel,
    Shutdown,
    UserInput,
)
from server.errors import NoSuchSession
from server.sessions.channel import Channel
from server.sessions.live import LiveSession
from tests.server.sessions.house import ADA, BOB, House, asks, eventually, house


async def test_what_is_submitted_to_a_sleeping_session_is_committed_and_shown(home: House) -> None:
    session = await home.session()
    async with home.watch(session) as watcher:
        accepted = await home.manager.submit(session, ADA, UserInput("c1", "Hello"))
        await watcher.until("turn_ended")
    assert accepted.seq == 2
    assert watcher.events == await home.types(session)
    assert watcher.status["state"] == "idle"


async def test_a_repeat_is_answered_alike_from_memory_and_after_sleep(home: House) -> None:
    session = await home.session()
    first = await home.manager.submit(session, ADA, UserInput("c1", "Hello"))
    again = await home.manager.submit(session, ADA, UserInput("c1", "Hello"))
    await asleep(home, session)
    later = await home.manager.submit(session, ADA, UserInput("c1", "Hello"))
    assert [again.seq, later.seq] == [first.seq] * 2
    assert (first.duplicate, again.duplicate, later.duplicate) == (False, True, True)
    assert (await home.types(session)).count("turn_started") == 1


async def test_a_row_is_found_whether_its_session_is_watched_or_not(home: House) -> None:
    session = await home.session(ADA)
    with pytest.raises(NoSuchSession):
        await home.manager.row("s_none")
    assert (await home.manager.row(session)).id == session
    async with home.watch(session):
        assert (await home.manager.row(session)).id == session


async def test_a_session_that_is_not_there_can_be_neither_watched_nor_told_anything(
    home: House,
) -> None:
    with pytest.raises(NoSuchSession):
        await home.manager.submit("s_none", ADA, UserInput("c1", "Hello"))
    with pytest.raises(NoSuchSession):
        async with home.manager.attach("s_none"):
            raise AssertionError
    with pytest.raises(NoSuchSession):
        await home.manager.rename("s_none", ADA, "Title")
    assert_nothing_left(home)


async def test_a_new_title_is_in_the_row_the_log_and_the_store(home: House) -> None:
    session = await home.session()
    row = await home.manager.rename(session, ADA, "Another")
    assert row.indexed.title == (await home.stored(session)).indexed.title == "Another"
    assert (await home.log(session))[-1]["by"] == "ada"


async def test_an_ended_session_takes_no_new_title(home: House) -> None:
    session = await home.session()
    await home.manager.submit(session, ADA, Shutdown("c1"))
    with pytest.raises(Refused) as refused:
        await home.manager.rename(session, ADA, "Another")
    assert refused.value.code == "session_ended"


async def test_shutdown_dismisses_who_watches_and_lets_later_ones_stay(home: House) -> None:
    session = await home.session()
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, Shutdown("c1"))
        bye = await watcher.until("bye")
        assert (bye["code"], watcher.events[-1]) == (1000, "session_ended")
    again = await home.manager.submit(session, ADA, Shutdown("c1"))
    assert again.duplicate
    async with home.watch(session) as late:
        assert late.status["state"] == "ended"
        assert late.closed == []


# -- leaving memory --


async def test_a_session_at_rest_leaves_memory_in_time_and_one_at_work_does_not(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, hibernate_after=0.05) as home:
        go = asyncio.Event()
        home.model.script.append((go, Text("Done.")))
        busy, resting = await home.session(), await home.session()
        await home.manager.submit(busy, ADA, UserInput("c1", "Work"))
        await home.manager.submit(resting, ADA, SetModel("c1", "other"))
        sweeping = asyncio.create_task(home.manager.sweep())
        home.time.now += 1
        await eventually(lambda: home.manager.live_of(None) == 1)
        go.set()
        home.time.now += 1
        await eventually(lambda: home.manager.live_of("ada") == 0 or step(home))
        sweeping.cancel()
        assert (await home.types(busy))[-1] == "turn_ended"
        assert_nothing_left(home)


async def test_what_was_read_for_who_came_leaves_memory_too(tmp_path: Path) -> None:
    async with house(tmp_path, hibernate_after=0.1) as home:
        session = await home.session()
        async with home.watch(session) as watcher:
            await watcher.until("session_created")
        read = home.manager._channels._pages._read
        assert read
        sweeping = asyncio.create_task(home.manager.sweep())
        await eventually(lambda: not read)
        sweeping.cancel()


async def test_of_a_session_that_sleeps_nothing_stays_in_memory_but_what_its_viewers_see(
    home: House,
) -> None:
    session = await home.session()
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Work"))
        await watcher.until("turn_ended")
        actor, held = weakref.ref(live(home, session).session), weakref.ref(live(home, session))
        await asleep(home, session)
        await eventually(lambda: gc.collect() >= 0 and actor() is None and held() is None)


async def test_what_sleeps_is_freed_at_once_and_not_when_rings_are_looked_for(home: House) -> None:
    session = await home.session()
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Work"))
        await watcher.until("turn_ended")
    actor = weakref.ref(live(home, session).session)
    gc.disable()
    try:
        await asleep(home, session)
        await eventually(lambda: actor() is None)
    finally:
        gc.enable()


async def test_a_question_is_still_open_after_sleep(home: House) -> None:
    session = await home.session()
    home.model.script.append(asks())
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Publish"))
        asked = await watcher.until("approval_required")
        await asleep(home, session)
        assert watcher.status["state"] == "awaiting_approval"
        decision = Decision(asked["calls"][0]["call"], "approve")
        await home.manager.submit(session, ADA, Approval("c2", (decision,)))
        await watcher.until("turn_ended")
    assert watcher.events.count("turn_started") == 1
    assert watcher.seqs == list(range(1, len(watcher.seqs) + 1))


async def test_a_queue_is_shown_to_who_comes_while_the_session_sleeps(home: House) -> None:
    session = await home.session()
    await held_queue(home, session)
    await asleep(home, session)
    async with home.watch(session) as watcher:
        assert [queued["text"] for queued in watcher.status["queue"]] == ["Later"]
        assert watcher.status["held"]
    assert_nothing_left(home)


async def test_the_one_that_rested_longest_makes_room_also_while_it_waits_for_an_answer(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, live_sessions=2) as home:
        asking, young, third = [await home.session() for _ in range(3)]
        home.model.script.append(asks())
        async with home.watch(asking) as watcher:
            await home.manager.submit(asking, ADA, UserInput("c1", "Publish"))
            await watcher.until("approval_required")
            await live(home, asking).session.settled()
            home.time.now += 1
            await home.manager.submit(young, ADA, SetModel("c1", "other"))
            await live(home, young).session.settled()
            home.time.now += 1
            await home.manager.submit(third, ADA, SetModel("c1", "other"))
            assert set(home.manager._live) == {young, third}
            assert watcher.status["state"] == "awaiting_approval"


async def test_sessions_that_wake_together_are_no_more_than_may_live(tmp_path: Path) -> None:
    async with house(tmp_path, live_sessions=3) as home:
        sessions = [await home.session() for _ in range(12)]
        orders = (home.manager.submit(s, ADA, SetModel("c1", "other")) for s in sessions)
        await asyncio.gather(*orders)
        for session in sessions:
            if session in home.manager._live:
                await live(home, session).session.settled()
        last = await home.session()
        await home.manager.submit(last, ADA, SetModel("c1", "other"))
        assert home.manager.live_of(None) == 3
        assert last in home.manager._live


async def test_running_ones_stay_and_more_may_wait_than_live(tmp_path: Path) -> None:
    async with house(tmp_path, live_sessions=1, running_turns_per_user=5) as home:
        go = asyncio.Event()
        home.model.script.append((go,))
        running, waiting, refused = [await home.session() for _ in range(3)]
        async with home.watch(running) as one, home.watch(waiting) as two:
            await home.manager.submit(running, ADA, UserInput("c1", "Work"))
            await eventually(lambda: one.status.get("activity") == "model")
            await home.manager.submit(waiting, ADA, UserInput("c1", "Work"))
            await eventually(lambda: two.status.get("activity") == "waiting")
            with pytest.raises(Refused) as full:
                await home.manager.submit(refused, BOB, UserInput("c1", "Work"))
            assert (full.value.code, full.value.retry_after) == ("server_full", 5)
            await home.manager.submit(refused, BOB, SetModel("c2", "other"))
            await home.manager.submit(waiting, ADA, Interrupt("c3"))
            assert home.manager.slots.waiting == 0
            go.set()
            await one.until("turn_ended")
        assert (await home.log(waiting))[-1]["status"] == "interrupted"
        assert home.model.asked == 1


# -- rates --


async def test_too_many_submissions_are_refused_but_neither_stops_nor_repeats(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, submissions_per_minute=2) as home:
        session = await home.session()
        go = asyncio.Event()
        home.model.script.append((go,))
        await home.manager.submit(session, ADA, UserInput("c1", "Work"))
        await home.manager.submit(session, ADA, SetAutoApproval("c2", True))
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                await home.manager.submit(session, ADA, SetAutoApproval("c3", False))
            assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 30)
        repeat = await home.manager.submit(session, ADA, UserInput("c1", "Work"))
        assert repeat.duplicate
        await home.manager.submit(session, ADA, Interrupt("c4"))
        home.time.now += 30
        await home.manager.submit(session, ADA, SetAutoApproval("c3", False))
        with pytest.raises(Refused):
            await home.manager.submit(session, ADA, SetAutoApproval("c5", True))
        await home.manager.submit(session, ADA, Shutdown("c6"))


# -- nothing stays behind --


async def test_channels_are_there_only_while_somebody_needs_them(home: House) -> None:
    sessions = [await home.session() for _ in range(4)]

    async def visit(number: int) -> None:
        session = sessions[number % len(sessions)]
        async with home.manager.attach(session) as channel:
            for _ in range(number % 7):
                await asyncio.sleep(0)
            assert home.manager._channels.get(session) is channel

    await asyncio.gather(*(visit(number) for number in range(200)))
    assert_nothing_left(home)


async def test_one_channel_serves_all_who_come_while_others_go(home: House) -> None:
    session = await home.session()
    inside: set[Channel] = set()

    async def visit(number: int) -> None:
        for _ in range(number % 5):
            await asyncio.sleep(0)
        async with home.manager.attach(session) as channel:
            inside.add(channel)
            for _ in range(number % 11):
                await asyncio.sleep(0)
                assert home.manager._channels.get(session) is channel

    async with home.manager.attach(session) as first:
        await asyncio.gather(*(visit(number) for number in range(200)))
        assert inside == {first}
    assert_nothing_left(home)


async def test_a_visitor_who_gives_up_while_it_waits_leaves_nothing(home: House) -> None:
    session = await home.session()

    async def visit() -> None:
        async with home.manager.attach(session):
            await asyncio.Event().wait()

    for pauses in range(8):
        visitor = asyncio.create_task(visit())
        for _ in range(pauses):
            await asyncio.sleep(0)
        visitor.cancel()
        await asyncio.wait([visitor])
    await eventually(lambda: not list(home.manager._channels))
    assert_nothing_left(home)


async def test_a_viewer_that_leaves_while_the_session_wakes_takes_no_channel_along(
    home: House,
) -> None:
    session = await home.session()
    for round in range(30):
        async with home.watch(session):
            waking = asyncio.create_task(
                home.manager.submit(session, ADA, SetModel(f"c{round}", "other"))
            )
            for _ in range(round):
                await asyncio.sleep(0)
        await waking
        async with home.watch(session) as watcher:
            home.model.script.append((Text("Heard."),))
            await home.manager.submit(session, ADA, UserInput(f"i{round}", "Hello"))
            await watcher.until("turn_ended", round + 1)
        await asleep(home, session)
        assert_nothing_left(home)


# -- the end of the server --


async def test_the_end_of_the_server_ends_turns_keeps_questions_and_says_goodbye(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as home:
        never = asyncio.Event()
        running, asking = await home.session(), await home.session()
        async with home.watch(running) as one, home.watch(asking) as two:
            home.model.script.append(asks())
            await home.manager.submit(asking, ADA, UserInput("c1", "Publish"))
            await two.until("approval_required")
            home.model.script.append((Text("Half a sen"), never))
            await home.manager.submit(running, ADA, UserInput("c1", "Talk"))
            await one.until("text_delta")
            await home.manager.close()
            assert [frame["code"] for frame in (one.frames[-1], two.frames[-1])] == [1012, 1012]
        events = await home.log(running)
        assert [(e.get("text"), e.get("partial")) for e in events][-2] == ("Half a sen", True)
        assert (events[-1]["status"], events[-1]["reason"]) == ("interrupted", "server_restart")
        assert (await home.types(asking))[-1] == "approval_required"
        with pytest.raises(Refused) as refused:
            await home.manager.submit(await home.session(), ADA, UserInput("c2", "Hello"))
        assert refused.value.code == "unavailable"
        with pytest.raises(Refused) as refused:
            await home.manager.submit(running, ADA, UserInput("c3", "Hello"))
        assert refused.value.code == "unavailable"


def live(home: House, session: str) -> LiveSession:
    return home.manager._live[session]


def step(home: House) -> bool:
    """Let a second pass: what did not rest when the sweep looked counts from then on."""
    home.time.now += 0.1
    return False


async def asleep(home: House, session: str) -> None:
    """Wait until the session rests, and let it leave memory."""
    await live(home, session).session.settled()
    await eventually(lambda: live(home, session).resting)
    home.manager._hibernate(session)


async def held_queue(home: House, session: str) -> None:
    """An idle session with one input in its queue, held."""
    home.model.script.append((asyncio.Event(),))
    await home.manager.submit(session, ADA, UserInput("c1", "Work"))
    await home.manager.submit(session, ADA, UserInput("c2", "Later"))
    await home.manager.submit(session, ADA, Interrupt("c3"))


def assert_nothing_left(home: House) -> None:
    manager = home.manager
    assert list(manager._channels) == []
    assert manager._channels._holds == {}
    assert (manager._live, manager.locks._locks) == ({}, {})
