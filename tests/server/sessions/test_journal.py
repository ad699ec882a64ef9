"""The journal: numbered, committed, shown, in this order; drafts now and then in between."""

import asyncio
from collections.abc import Sequence

import pytest

from agent.errors import Unrecorded
from agent.history import Digest, History
from agent.journal import Commit, NewReceipt
from agent.models.port import Text
from agent.protocol import (
    AnyEvent,
    AssistantMessage,
    Notice,
    Recorded,
    ToolCall,
    ToolOutput,
    TurnEnded,
    TurnStarted,
    UserInput,
    UserMessage,
)
from agent.redaction import Redactor
from server.sessions.channel import Channel
from server.sessions.drafts import Drafts
from server.sessions.journal import LONGEST_LOG, SessionJournal
from server.sessions.loading import load_history
from tests.server.sessions.house import (
    ADA,
    AT,
    CONTEXT,
    House,
    drafted,
    eventually,
    eventually_kept,
)

BEGUN: tuple[AnyEvent, ...] = (
    UserMessage("t1", "c1", "Hello", "ada"),
    TurnStarted("t1", "c1", "scripted"),
)


class Desk:
    """A journal on the real store, its channel, and the history it is folded into."""

    def __init__(self, home: House, session: str, channel: Channel, history: History) -> None:
        self.home = home
        self.session = session
        self.channel = channel
        self.history = history
        self.journal = SessionJournal(
            session,
            history.head,
            home.store,
            channel,
            Drafts(home.store, 0.01),
            lambda: AT,
            Redactor(("the key of the user",)),
            history.find_call,
        )

    def record(self, *events: AnyEvent, receipts: tuple[NewReceipt, ...] = ()) -> Commit:
        return self.journal.record(events, receipts, self.fold)

    def fold(self, entries: Sequence[Recorded]) -> Digest:
        for entry in entries:
            self.history.apply(entry)
        return self.history.digest(CONTEXT)


async def desk(home: House, channel: Channel) -> Desk:
    return Desk(home, channel.row.id, channel, await load_history(home.store, channel.row.id))


async def test_events_are_numbered_at_once_and_shown_when_they_are_on_disk(home: House) -> None:
    session = await home.session()
    async with home.watch(session) as watcher, home.manager.attach(session) as channel:
        at = await desk(home, channel)
        home.store.held = asyncio.Event()
        commit = at.record(*BEGUN, receipts=(NewReceipt("c1", b"mark"),))
        assert [(e.seq, e.at) for e in commit.entries] == [(2, AT), (3, AT)]
        assert (channel.row.head, watcher.events) == (1, ["session_created"])
        home.store.held.set()
        await commit.done
        assert (channel.row.head, channel.row.indexed.state) == (3, "running")
        assert [(r.id, r.seq) for r in await home.store.receipts(session)] == [("c1", 2)]
        await watcher.until("turn_started")
        page = await home.archive.page("ada", limit=5, cursor=None, q="hello", state="")
        assert [row.id for row in page.rows] == [session]


async def test_what_was_not_committed_is_not_shown_nor_is_what_follows_it(home: House) -> None:
    session = await home.session()
    async with home.watch(session) as watcher, home.manager.attach(session) as channel:
        at = await desk(home, channel)
        home.store.mood = "seems to fail"
        lost = at.record(*BEGUN)
        home.store.mood = "well"
        after = at.record(Notice("n", "n", "t1"))
        for commit in (lost, after):
            with pytest.raises(Unrecorded):
                await commit.done
        assert (channel.row.head, watcher.events) == (1, ["session_created"])
    home.manager._channels.pop(session)


async def test_a_commit_that_was_given_up_is_lost(home: House) -> None:
    session = await home.session()
    async with home.manager.attach(session) as channel:
        at = await desk(home, channel)
        home.store.held = asyncio.Event()
        commit = at.record(*BEGUN)
        for task in asyncio.all_tasks():
            if "_answer" in repr(task.get_coro()):
                task.cancel()
        with pytest.raises(Unrecorded, match="given up"):
            await commit.done
        home.store.held.set()


async def growing(home: House, at: Desk) -> None:
    called = ToolCall("t1", "k1", "publish", {}, "publish")
    await at.record(*BEGUN, AssistantMessage("t1", "i0", ""), called).done
    text = at.journal.open("text", "t1", "i1")
    text.grow("Half a ")
    await drafted(home, at.session)
    text.grow("sentence")
    at.journal.open("reasoning", "t1", "i1").grow("Why")
    at.journal.open("tool_log", "t1", "k1").grow("x" * (LONGEST_LOG + 10))


async def kept(home: House, session: str) -> dict[str, str]:
    return {draft.kind: draft.text for draft in await home.store.drafts(session)}


async def test_text_is_kept_piece_by_piece_and_goes_with_what_closes_it(home: House) -> None:
    session = await home.session()
    async with home.watch(session) as watcher, home.manager.attach(session) as channel:
        at = await desk(home, channel)
        await growing(home, at)

        async def all_is_kept() -> bool:
            return len(await kept(home, session)) == 3

        await eventually_kept(all_is_kept)
        assert await kept(home, session) == {
            "text": "Half a sentence",
            "reasoning": "Why",
            "tool_log": "x" * LONGEST_LOG,
        }
        at.journal.open("tool_log", "t1", "k1").grow("")
        await at.record(AssistantMessage("t1", "i1", "Half a sentence", "Why")).done
        assert list(await kept(home, session)) == ["tool_log"]
        await at.record(TurnEnded("t1", "completed")).done
        assert await kept(home, session) == {}
        await watcher.until("turn_ended")
        at.journal.close()


async def test_half_a_surrogate_pair_is_kept_as_a_question_mark(home: House) -> None:
    session = await home.session()
    async with home.manager.attach(session) as channel:
        at = await desk(home, channel)
        await at.record(*BEGUN).done
        at.journal.open("text", "t1", "i1").grow("Half \ud83d, whole \U0001f600")
        await drafted(home, session)
        assert await kept(home, session) == {"text": "Half ?, whole \U0001f600"}
        at.journal.close()


async def test_drafts_of_another_journal_go_with_what_closes_them_too(home: House) -> None:
    session = await home.session()
    async with home.manager.attach(session) as channel:
        at = await desk(home, channel)
        await growing(home, at)
        at.journal.close()
        next_one = Desk(home, session, channel, at.history)
        output = ToolOutput("t1", "k1", "unknown", "", False, 0, 0.0)
        await next_one.record(AssistantMessage("t1", "i1", "Half a ", partial=True), output).done
        assert await kept(home, session) == {}
        next_one.journal.close()


async def test_a_closed_journal_keeps_no_more_drafts(home: House) -> None:
    session = await home.session()
    async with home.manager.attach(session) as channel:
        at = await desk(home, channel)
        await at.record(*BEGUN).done
        at.journal.open("text", "t1", "i1").grow("Half")
        at.journal.close()
        at.journal.close()
        for _ in range(50):
            assert await kept(home, session) == {}


async def test_a_draft_that_is_lost_costs_nobody_anything(home: House) -> None:
    session = await home.session()
    home.model.script.append((Text("Half"), go := asyncio.Event()))
    async with home.watch(session) as watcher:
        home.store.drafts_fail = True
        await home.manager.submit(session, ADA, UserInput("c1", "Talk"))
        await eventually(lambda: home.store.lost_drafts > 0)
        go.set()
        assert (await watcher.until("turn_ended"))["status"] == "completed"
