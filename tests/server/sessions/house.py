"""Sessions without doors: the real manager, archive and store; a scripted model, a moody disk."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from agent.approval import Policy, Rules
from agent.budget import Allowance
from agent.errors import Problem, Unrecorded
from agent.means import Means
from agent.models.port import CallFragment, Finished, ModelRequest, Piece, Text
from agent.models.retry import Retries
from agent.protocol import Effect
from agent.redaction import Redactor
from agent.tools.port import Call, Outcome
from agent.tools.toolbox import Toolbox
from server.config import Limits
from server.delivery.replay import Wish
from server.people import User
from server.sessions.archive import Archive
from server.sessions.fleet import Fleet
from server.sessions.manager import SessionManager
from server.sessions.slots import Slots
from server.sessions.workspaces import Workspaces
from server.store.port import Append, DraftPiece, EventPage, SessionRow, StoredReceipt, Token
from server.store.sqlite import SqliteStore
from server.times import timestamp, today
from tests.server.delivery.stage import Transport

ADA = User("ada", "ada", "user", "dev")
BOB = User("bob", "bob", "user", "dev")
CONTEXT = 100_000
AT = "2026-11-20T00:00:00.000Z"
Mood = Literal["well", "fails", "seems to fail"]
Said = Sequence[Piece | asyncio.Event]


async def eventually(happened: Callable[[], bool]) -> None:
    """Let everything else run until it has happened."""
    deadline = asyncio.get_running_loop().time() + 60
    for turn in count():
        if happened():
            return
        assert turn % 100 or asyncio.get_running_loop().time() < deadline, "it never happened"
        await asyncio.sleep(0)


async def eventually_kept(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Ask the store until it is so."""
    async with asyncio.timeout(60):
        while not await is_so():
            pass


class HandTime:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class ScriptedModel:
    """Says what was put into `script`, then 'Done.'; it waits at each event in between."""

    def __init__(self) -> None:
        self.script: deque[Said] = deque()
        self.asked = 0

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Piece, None]:
        self.asked += 1
        for said in self.script.popleft() if self.script else (Text("Done."),):
            if isinstance(said, asyncio.Event):
                await said.wait()
            else:
                yield said
        yield Finished()

    async def warm(self) -> None: ...

    async def close(self) -> None: ...

    # -- as a catalogue of one --

    def knows(self, model: str) -> bool:
        return model in ("scripted", "other")

    def context(self, model: str) -> int:
        return CONTEXT

    def adapter(self, model: str) -> "ScriptedModel":
        return self


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No arguments."""


class Publish:
    """A tool that asks before it runs, for what it does leaves the sandbox."""

    name = "publish"
    description = "Publishes."
    effect: Effect = "publish"
    arguments: type[Struct] = Nothing

    async def run(self, arguments: Any, call: Call) -> Outcome:
        return Outcome("ok", "published")


def asks() -> Said:
    """A reply that makes a call which a human has to allow."""
    return (CallFragment(0, "publish"), CallFragment(0, arguments="{}"))


class MoodyStore(SqliteStore):
    """The real store, whose commits fail on demand: before they happen, or once they have."""

    mood: Mood = "well"
    blind = False
    """Reads of receipts fail."""
    held: asyncio.Event | None = None
    """While it is there, no append is answered before it is set."""
    appends = 0
    reads = 0
    """Pages of events that were asked for."""
    forgets_to_delete = False
    deleting: asyncio.Event | None = None
    """While it is there, nothing is deleted before it is set."""
    pages_left: int | None = None
    """So many pages of events can be read before the disk fails."""
    tokens_are_hidden = False
    hidden_looks = 0
    counts_are_hidden = False
    drafts_fail = False
    is_broken = False
    """Appending is a mistake of ours, no failure of the disk."""
    lost_drafts = 0

    @cached_property
    def _last(self) -> asyncio.Future[None]:
        """Of the answers that this store gives instead of the writer, the last."""
        none: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        none.set_result(None)
        return none

    def append(self, append: Append) -> asyncio.Future[None]:
        assert not self.is_broken, "a mistake"
        self.appends += 1
        if self.mood == "fails":
            failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            failed.set_exception(Unrecorded("The disk is full."))
            return failed
        done = super().append(append)
        if self.mood == "well" and self.held is None and self._last.done():
            return done
        self._last = asyncio.ensure_future(self._answer(done, self._last, self.mood, self.held))
        return self._last

    async def _answer(
        self,
        done: asyncio.Future[None],
        before: asyncio.Future[None],
        mood: Mood,
        held: asyncio.Event | None,
    ) -> None:
        """In the order of the commits, as the writer answers: a task alone would not keep it."""
        if held is not None:
            await held.wait()
        await asyncio.wait((before, done))
        await done
        if mood == "seems to fail":
            raise Unrecorded("The disk said nothing.")

    def draft(self, pieces: Sequence[DraftPiece]) -> asyncio.Future[None]:
        if not self.drafts_fail:
            return super().draft(pieces)
        self.lost_drafts += 1
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        failed.set_exception(Unrecorded("The disk is full."))
        return failed

    async def receipts(self, session: str) -> tuple[StoredReceipt, ...]:
        if self.blind:
            raise Unrecorded("The disk cannot be read.")
        return await super().receipts(session)

    async def events_after(
        self, session: str, after: int, *, limit: int, max_bytes: int
    ) -> EventPage:
        self.reads += 1
        if self.pages_left is not None:
            if not self.pages_left:
                raise Problem("unavailable", "The disk cannot be read.")
            self.pages_left -= 1
            limit = min(limit, 3)
        return await super().events_after(session, after, limit=limit, max_bytes=max_bytes)

    async def events_before(
        self, session: str, before: int, *, limit: int, max_bytes: int
    ) -> EventPage:
        self.reads += 1
        if self.pages_left == 0:
            raise Problem("unavailable", "The disk cannot be read.")
        return await super().events_before(session, before, limit=limit, max_bytes=max_bytes)

    async def tokens(self) -> tuple[Token, ...]:
        if self.tokens_are_hidden:
            self.hidden_looks += 1
            raise Problem("unavailable", "The disk cannot be read.")
        return await super().tokens()

    async def count(self, owner: str | None, state: str = "") -> int:
        if self.counts_are_hidden:
            raise Problem("unavailable", "The disk cannot be read.")
        return await super().count(owner, state)

    async def delete(self, session: str) -> None:
        if self.deleting is not None:
            await self.deleting.wait()
        if self.forgets_to_delete:
            raise Unrecorded("The disk is full.")
        await super().delete(session)


class Watcher:
    """A viewer of one session without a socket, and how it was told to go."""

    def __init__(self) -> None:
        self.transport = Transport()
        self.closed: list[int] = []
        self.leave = asyncio.Event()

    @property
    def frames(self) -> list[dict[str, Any]]:
        return self.transport.frames

    @property
    def events(self) -> list[str]:
        return [frame["type"] for frame in self.frames if "seq" in frame and "at" in frame]

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.frames if "seq" in frame and "at" in frame]

    @property
    def status(self) -> dict[str, Any]:
        return [frame for frame in self.frames if frame["type"] == "status"][-1]

    async def until(self, kind: str, times: int = 1) -> dict[str, Any]:
        """Wait for the frame of that type which is the `times`th."""
        async with asyncio.timeout(60):
            while self._kinds.count(kind) < times:
                self.transport.wrote.clear()
                await self.transport.wrote.wait()
        return [frame for frame in self.frames if frame["type"] == kind][times - 1]

    @property
    def _kinds(self) -> list[str]:
        return [frame["type"] for frame in self.frames]

    async def hang_up(self, code: int, reason: bytes) -> None:
        self.closed.append(code)


class House:
    """Everything about sessions that has no door, on one data directory."""

    def __init__(
        self,
        store: MoodyStore,
        folder: Path,
        threads: ThreadPoolExecutor,
        limits: Limits,
        hibernate_after: float,
    ) -> None:
        self.store = store
        self.model = ScriptedModel()
        self.time = HandTime()
        self.slots = Slots(total=limits.live_sessions, per_user=limits.running_turns_per_user)
        self.fleet = Fleet(self.time, today)
        self.workspaces = Workspaces(folder / "workspaces", threads)
        self.toolbox = Toolbox([Publish()], threads)
        self.queue_limit = limits.queued_per_session
        self._ids = count()
        self.manager = SessionManager(
            store,
            self.means,
            limits=limits,
            slots=self.slots,
            fleet=self.fleet,
            hibernate_after=hibernate_after,
            timestamp=timestamp,
            clock=self.time,
        )
        self.archive = Archive(
            store,
            self.manager,
            self.workspaces,
            self.fleet,
            limits=limits,
            context_of=self.model.context,
            new_id=self.new_id,
            timestamp=timestamp,
            redactor_of=lambda owner: Redactor(),
        )

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._ids)}"

    def means(self, session: str, owner: str, mcp_servers: tuple[str, ...] | None) -> Means:
        def admission(on_wait: Callable[[], None]) -> AbstractAsyncContextManager[None]:
            return self.slots.slot(owner, on_wait)

        return Means(
            models=self.model,
            toolbox=self.toolbox,
            workspace=self.workspaces.of(session),
            rules=Rules(Policy(), self.toolbox.check),
            system_prompt="Be scripted.",
            retries=Retries((), ()),
            allowance=Allowance(),
            queue_limit=self.queue_limit,
            new_id=self.new_id,
            admission=admission,
            sleep=asyncio.sleep,
            clock=self.time,
            file_exists=lambda path: False,
        )

    async def session(self, user: User = ADA, title: str = "T") -> str:
        row, _ = await self.archive.create(user, title, "scripted", None)
        return row.id

    async def stored(self, session: str) -> SessionRow:
        row = await self.store.row(session)
        assert row is not None
        return row

    async def log(self, session: str) -> list[dict[str, Any]]:
        page = await self.store.events_after(session, 0, limit=500, max_bytes=10**9)
        return [json.loads(body) for body in page.bodies]

    async def types(self, session: str) -> list[str]:
        return [event["type"] for event in await self.log(session)]

    @asynccontextmanager
    async def watch(self, session: str, **wish: Any) -> AsyncIterator[Watcher]:
        """A viewer that has got everything up to now."""
        watcher = Watcher()
        inside = asyncio.create_task(self._watch(watcher, session, Wish(**wish)))
        try:
            await eventually(lambda: inside.done() or "status" in watcher.transport.seen)
            if inside.done():
                await inside
            yield watcher
        finally:
            watcher.leave.set()
            await asyncio.wait([inside])
        await inside

    async def _watch(self, watcher: Watcher, session: str, wish: Wish) -> None:
        async with (
            self.manager.attach(session) as channel,
            channel.broadcaster.join(watcher.transport, watcher.hang_up, wish) as viewer,
        ):
            await viewer.next(watcher.leave.wait)


@asynccontextmanager
async def house(
    folder: Path, hibernate_after: float = 900, threads: int = 2, **limits: int
) -> AsyncIterator[House]:
    """Opened on a folder, closed as the server closes it: gracefully."""
    store = MoodyStore.open(folder / "data")
    assert isinstance(store, MoodyStore)
    with ThreadPoolExecutor(threads) as pool:
        here = House(store, folder, pool, Limits(**limits), hibernate_after)
        try:
            yield here
        finally:
            await here.manager.close()
            await store.close()


async def drafted(home: House, session: str) -> None:
    """Wait until what was shown is kept for the case of a crash."""

    async def is_kept() -> bool:
        return bool(await home.store.drafts(session))

    await eventually_kept(is_kept)
