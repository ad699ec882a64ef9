"""A commit that failed, or seemed to: its actor goes, and the log alone says what happened."""

import asyncio
from pathlib import Path

import pytest

from agent.errors import Refused
from agent.models.port import Text
from agent.protocol import Interrupt, SetAutoApproval, SetModel, Shutdown, UserInput
from server.sessions.manager import SessionManager
from server.sessions.revivals import FIRST_WAIT
from tests.server.delivery.stage import quiet
from tests.server.sessions.house import ADA, House, drafted, eventually, house


async def test_what_could_not_be_committed_is_refused_and_never_shown(home: House) -> None:
    session = await home.session()
    async with home.watch(session) as watcher:
        home.store.mood = "fails"
        with pytest.raises(Refused) as refused:
            await home.manager.submit(session, ADA, UserInput("c1", "Hello"))
        assert (refused.value.code, refused.value.retry_after) == ("unavailable", 1)
        assert watcher.events == ["session_created"]
        home.store.mood = "well"
        accepted = await home.manager.submit(session, ADA, UserInput("c1", "Hello"))
        assert (accepted.seq, accepted.duplicate) == (2, False)
        await watcher.until("turn_ended")
        assert watcher.events == await home.types(session)


async def test_what_was_committed_after_all_is_accepted_and_shown(home: House) -> None:
    session = await home.session()
    async with home.watch(session) as watcher:
        home.store.mood = "seems to fail"
        order = asyncio.create_task(home.manager.submit(session, ADA, UserInput("c1", "Hello")))
        await eventually(lambda: home.store.appends > 0)
        home.store.mood = "well"
        assert (await order).seq == 2
        await watcher.until("turn_ended")
        assert watcher.seqs == list(range(1, len(watcher.seqs) + 1))
        assert watcher.events == await home.types(session)
        assert (await home.log(session))[-1]["status"] == "failed"
        again = await home.manager.submit(session, ADA, UserInput("c1", "Hello"))
        assert (again.seq, again.duplicate) == (2, True)


async def test_an_idle_session_shows_what_was_committed_after_all(home: House) -> None:
    session = await home.session()
    async with home.watch(session):
        await seems_to_fail(home, session, SetModel("c1", "other"))
        await eventually(lambda: not failed(home, session))
        row = await home.manager.row(session)
        assert (row.indexed.model, row.head) == ("other", 2)


async def test_a_shutdown_that_was_committed_after_all_dismisses_its_viewers(home: House) -> None:
    session = await home.session()
    async with home.watch(session) as watcher:
        await seems_to_fail(home, session, Shutdown("c1"))
        assert (await watcher.until("bye"))["code"] == 1000
        assert watcher.events == ["session_created", "session_ended"]


async def test_while_nobody_can_tell_a_submission_is_refused(home: House) -> None:
    session = await home.session()
    await home.manager.submit(session, ADA, SetModel("c1", "other"))
    home.store.blind = True
    with pytest.raises(Refused) as refused:
        await seems_to_fail(home, session, SetModel("c2", "scripted"))
    assert refused.value.code == "unavailable"
    home.store.blind = False
    again = await home.manager.submit(session, ADA, SetModel("c2", "scripted"))
    assert (again.seq, again.duplicate) == (3, True)


async def test_a_running_turn_that_cannot_be_written_ends_as_soon_as_it_can(home: House) -> None:
    session, go = await home.session(), asyncio.Event()
    home.model.script.append((Text("Half a sentence"), go))
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        await watcher.until("text_delta")
        await drafted(home, session)
        home.store.mood = "fails"
        go.set()
        await eventually(lambda: failed(home, session))
        home.store.mood = "well"
        ended = await watcher.until("turn_ended")
        assert (ended["status"], ended["error"]["code"]) == ("failed", "unavailable")
        message = await watcher.until("assistant_message")
        assert (message["text"], message["partial"]) == ("Half a sentence", True)
        assert watcher.events == await home.types(session)
        assert watcher.status["state"] == "idle"


async def test_what_was_seen_of_a_reply_is_kept_also_where_the_disk_took_nothing_of_it(
    home: House,
) -> None:
    session, go = await home.session(), asyncio.Event()
    home.model.script.append((Text("Half a "), Text("sentence"), go))
    home.store.drafts_fail = True
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        await watcher.until("text_delta")
        await eventually(lambda: home.store.lost_drafts > 0)
        home.store.mood = "fails"
        go.set()
        await eventually(lambda: failed(home, session))
        home.store.mood = "well"
        message = await watcher.until("assistant_message")
        assert (message["text"], message["partial"]) == ("Half a sentence", True)
        assert (await watcher.until("turn_ended"))["status"] == "failed"
        assert watcher.events == await home.types(session)


async def test_a_disk_that_stays_full_is_tried_again_and_again_but_not_in_a_hurry(
    home: House,
) -> None:
    session, go = await home.session(), asyncio.Event()
    home.model.script.append((go,))
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        await eventually(lambda: home.model.asked == 1)
        home.store.mood = "fails"
        loop = asyncio.get_running_loop()
        before, begun = home.store.appends, loop.time()
        go.set()
        for _ in range(40):
            await quiet()
            await home.stored(session)
        assert 1 <= home.store.appends - before <= 3 + (loop.time() - begun) / FIRST_WAIT
        assert len(home.manager._tasks) <= 1
        home.store.mood = "well"
        assert (await watcher.until("turn_ended"))["status"] == "failed"
        await eventually(lambda: not home.manager._tasks)


async def test_a_log_that_cannot_be_read_for_a_while_is_recovered_when_it_can(
    home: House,
) -> None:
    session, go = await home.session(), asyncio.Event()
    home.model.script.append((go,))
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        await eventually(lambda: home.model.asked == 1)
        home.store.mood, home.store.blind = "fails", True
        go.set()
        await eventually(lambda: failed(home, session))
        for _ in range(20):
            await home.stored(session)
        home.store.mood, home.store.blind = "well", False
        await watcher.until("turn_ended")


async def test_a_commit_behind_one_that_seemed_to_fail_is_not_shown_out_of_turn(
    home: House,
) -> None:
    session = await home.session()
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, SetModel("c0", "other"))
        home.store.held = asyncio.Event()
        home.store.mood = "seems to fail"
        first = asyncio.create_task(home.manager.submit(session, ADA, SetModel("c1", "scripted")))
        await eventually(lambda: home.store.appends == 2)
        home.store.mood = "well"
        second = asyncio.create_task(home.manager.submit(session, ADA, SetAutoApproval("c2", True)))
        await eventually(lambda: home.store.appends == 3)
        home.store.held.set()
        home.store.held = None
        assert [(await first).seq, (await second).seq] == [3, 4]
        await home.manager.submit(session, ADA, SetModel("c3", "other"))
        await eventually(lambda: len(watcher.seqs) == 5)
        assert watcher.seqs == [1, 2, 3, 4, 5]


async def test_a_failure_while_the_server_goes_away_keeps_nobody(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        session = await home.session()
        home.model.script.append((asyncio.Event(),))
        async with home.watch(session) as watcher:
            await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
            home.store.mood = "fails"
            async with asyncio.timeout(30):
                await home.manager.close()
            assert watcher.frames[-1]["code"] == 1012
        assert home.manager._tasks == set()


async def test_an_interrupt_whose_commit_failed_is_refused_and_the_turn_ends_failed(
    home: House,
) -> None:
    session = await home.session()
    home.model.script.append((asyncio.Event(),))
    async with home.watch(session) as watcher:
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        home.store.mood = "fails"
        with pytest.raises(Refused) as refused:
            await home.manager.submit(session, ADA, Interrupt("c2"))
        assert refused.value.code == "unavailable"
        home.store.mood = "well"
        assert (await watcher.until("turn_ended"))["status"] == "failed"


async def test_a_title_that_could_not_be_committed_is_the_old_one(home: House) -> None:
    session = await home.session(title="Old")
    home.store.mood = "fails"
    with pytest.raises(Exception, match="disk is full"):
        await home.manager.rename(session, ADA, "New")
    home.store.mood = "well"
    assert (await home.manager.rename(session, ADA, "Newer")).indexed.title == "Newer"


def failed(home: House, session: str) -> bool:
    """The actor in memory is dead, or there is none."""
    live = home.manager._live.get(session)
    return live is None or live.failed


async def seems_to_fail(
    home: House, session: str, submission: SetModel | Shutdown
) -> SessionManager:
    before = home.store.appends
    home.store.mood = "seems to fail"
    order = asyncio.create_task(home.manager.submit(session, ADA, submission))
    await eventually(lambda: home.store.appends > before or order.done())
    home.store.mood = "well"
    await order
    return home.manager
