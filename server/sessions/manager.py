"""Which sessions are in memory, whose, how many, and when they leave it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

from agent.errors import Problem, Refused, Unrecorded
from agent.protocol import AnySubmission, Interrupt, Resume, Retry, Shutdown, UserInput
from agent.receipts import Accepted
from agent.recovery import Interruption
from agent.session import Session
from server.config import Limits
from server.errors import NoSuchSession
from server.goodbyes import DELETED, ENDED, FAREWELL_SECONDS, GOING_AWAY
from server.logs import bound
from server.people import User
from server.sessions.channel import Channel
from server.sessions.channels import Attachment, Channels
from server.sessions.drafts import Drafts
from server.sessions.fleet import Fleet
from server.sessions.live import CRASH, RESTART, LiveSession, MakeMeans, wake
from server.sessions.locks import KeyedLocks
from server.sessions.lost import answer_lost
from server.sessions.quotas import Buckets
from server.sessions.revivals import Revivals
from server.sessions.slots import Slots
from server.store.port import SessionRow, Store

log = logging.getLogger(__name__)


class SessionManager:
    """Sessions wake when they are needed and leave memory when they rest.

    What happens to one session beside its actor's own work (wake, fork, delete) is serialised by
    its lock; finding an actor and handing it a submission is one step without a pause.
    """

    def __init__(
        self,
        store: Store,
        make_means: MakeMeans,
        *,
        limits: Limits,
        slots: Slots,
        fleet: Fleet,
        hibernate_after: float,
        timestamp: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self.locks = KeyedLocks()
        self._lines = KeyedLocks()
        self._store = store
        self._make_means = make_means
        self._limits = limits
        self.slots = slots
        self._fleet = fleet
        self._hibernate_after = hibernate_after
        self._timestamp = timestamp
        self._clock = clock
        self._buckets = Buckets(limits.submissions_per_minute, clock)
        self._live: dict[str, LiveSession] = {}
        self._channels = Channels(store, timestamp, fleet)
        self._drafts = Drafts(store)
        self._tasks: set[asyncio.Task[None]] = set()
        self._revivals = Revivals(self._is_well)
        self._closing = False

    # -- the life of the server --

    async def recover(self) -> None:
        """Append what logs that end mid-turn lack, so that every state is right without waking."""
        for id in await self._store.unsettled():
            try:
                live = await self._awake(id, RESTART)
            except Problem as problem:
                log.error("session %s cannot be recovered: %s", id, problem.message)
                continue
            await live.session.written()
            if self._live.get(id) is live and live.resting:
                self._hibernate(id)

    async def close(self) -> None:
        """Stop what runs, commit its end, and say goodbye to viewers."""
        self._closing = True
        await asyncio.gather(*(live.close() for live in self._live.values()))
        # One that was waking meanwhile had its word, too.
        await asyncio.gather(*(live.close() for live in self._live.values()))
        await self._revivals.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        goodbyes = (c.broadcaster.end(GOING_AWAY, FAREWELL_SECONDS) for c in self._channels)
        await asyncio.gather(*goodbyes)

    # -- what people do with a session --

    async def row(self, id: str) -> SessionRow:
        """Raises NoSuchSession."""
        row = known.row if (known := self._channels.get(id)) else await self._store.row(id)
        if row is None:
            raise NoSuchSession
        return row

    def attach(self, id: str) -> Attachment:
        """The session's channel, kept while inside; wakes no agent."""
        self._refuse_when_closing()
        return Attachment(id, self._channels, self.locks)

    async def submit(self, id: str, user: User, submission: AnySubmission) -> Accepted:
        """Raises Refused or NoSuchSession. Whoever asks may go away."""
        with bound(session=id, submission=submission.id):
            return await self._submit(id, user, submission)

    async def _submit(self, id: str, user: User, submission: AnySubmission) -> Accepted:
        live = await self._awake(id)
        if not live.session.knows(submission.id):
            self._admit(live, user, submission)
        live.last_used = self._clock()
        try:
            accepted = await live.session.submit(submission, user.id)
        except Unrecorded as lost:
            await live.session.written()
            async with self.locks.hold(id):
                accepted = await answer_lost(self._store, id, submission, lost)
        if isinstance(submission, Shutdown) and not accepted.duplicate:
            self._own(self._end_viewers(id))
        return accepted

    async def rename(self, id: str, user: User, title: str) -> SessionRow:
        live = await self._awake(id)
        await live.session.rename(title, user.id)
        return live.channel.row

    def in_memory(self, id: str) -> Session | None:
        live = self._live.get(id)
        return None if live is None or live.failed else live.session

    async def woken(self, id: str) -> Session:
        return (await self._awake(id)).session

    async def stop(self, id: str) -> None:
        """Take the agent out of memory without a word; its log is about to go."""
        if (live := self._live.pop(id, None)) is not None:
            try:
                await live.discard()
            finally:
                self._channels.release(id)

    async def forget(self, id: str) -> None:
        """Tell the viewers of a session that was erased. The caller holds its lock."""
        if (channel := self._channels.pop(id)) is not None:
            await channel.broadcaster.end(DELETED, FAREWELL_SECONDS)
        self._fleet.gone(id)

    # -- what the dashboard and the metrics ask --

    def live_of(self, owner: str | None) -> int:
        """How many sessions of the owner (None: of all) are in memory."""
        return sum(owner in (None, live.channel.row.owner) for live in self._live.values())

    def viewers_of(self, owner: str | None) -> int:
        return sum(c.viewers for c in self._channels if owner in (None, c.row.owner))

    def seen(self, row: SessionRow) -> Channel | SessionRow:
        """The channel of a session that is watched or in memory, which knows more than its row."""
        return self._channels.get(row.id) or row

    # -- waking and sleeping --

    async def _awake(self, id: str, interruption: Interruption = CRASH) -> LiveSession:
        """The actor; what follows without a pause finds it in memory.

        Who comes while somebody waits for it stands in line, so that frames keep their order.
        """
        live = self._live.get(id)
        if live is None or live.failed or self._lines.wanted(id):
            async with self._lines.hold(id):
                while (live := self._live.get(id)) is None or live.failed:
                    await self._wake(id, interruption)
        return live

    async def _wake(self, id: str, interruption: Interruption) -> None:
        with bound(session=id):
            async with self.locks.hold(id):
                await self._wake_held(id, interruption)

    async def _wake_held(self, id: str, interruption: Interruption) -> None:
        live = self._live.get(id)
        if live is not None and not live.failed:
            return
        self._refuse_when_closing()
        await self.stop(id)
        channel = await self._channels.open(id)
        with ExitStack() as failing:
            self._channels.hold(id)
            failing.callback(self._channels.release, id)
            self._live[id] = live = await wake(
                channel,
                self._store,
                self._make_means,
                self._drafts,
                timestamp=self._timestamp,
                now=self._clock(),
                interruption=interruption,
            )
            failing.pop_all()
        live.session.failed.add_done_callback(lambda _: self._died(id, live))
        self._make_room(id)

    def _make_room(self, newest: str = "") -> None:
        """Put to sleep what rested longest; turns that wait for a slot may go beyond."""
        resting = sorted(
            (live.last_used, id)
            for id, live in self._live.items()
            if live.resting and not live.failed and id != newest
        )
        for _, id in resting[: max(0, len(self._live) - self._limits.live_sessions)]:
            self._hibernate(id)

    def _hibernate(self, id: str) -> None:
        live = self._live.pop(id)
        live.sleep()
        self._fleet.changed(live.channel)
        self._channels.release(id)

    async def sweep(self) -> None:
        """Let what has been at rest for long enough, and what was read once, leave memory."""
        pause = max(0.02, min(self._hibernate_after / 4, 30.0))
        while True:
            await asyncio.sleep(pause)
            now = self._clock()
            for id, live in tuple(self._live.items()):
                if live.failed or not live.resting:
                    live.last_used = now
                elif now - live.last_used >= self._hibernate_after:
                    self._hibernate(id)
            self._make_room()
            self._channels.tidy()

    # -- when something fails --

    def _admit(self, live: LiveSession, user: User, submission: AnySubmission) -> None:
        self._refuse_when_closing()
        if not isinstance(submission, Interrupt | Shutdown):
            self._buckets.take(user.id)
        asks = isinstance(submission, UserInput | Retry | Resume)
        starts = asks and live.session.history.open_turn is None
        if starts and (cramped := self._store.cramped):
            raise Refused("unavailable", cramped, retry_after=30)
        if starts and self.slots.waiting >= self._limits.live_sessions:
            raise Refused(
                "server_full",
                f"{self.slots.running} turns run, {self.slots.waiting} wait. Try again soon.",
                retry_after=5,
            )

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise Refused("unavailable", "The server is going away.", retry_after=1)

    def _died(self, id: str, live: LiveSession) -> None:
        if self._live.get(id) is live:
            self.revive(id)

    def revive(self, id: str) -> None:
        """An actor was lost: make another as soon as its log can be read and written."""
        if not self._closing:
            self._revivals.begin(id)

    async def _is_well(self, id: str) -> bool:
        """It is in memory with its log written, or there is nothing to bring back."""
        try:
            live = await self._awake(id)
            await live.session.written()
        except NoSuchSession:
            return True
        except Problem as problem:
            log.warning("session %s cannot be loaded: %s", id, problem.message)
            return self._closing
        return not live.failed

    async def _end_viewers(self, id: str) -> None:
        """Who comes later may stay, and read the log."""
        await self._is_well(id)  # an end whose commit seemed to fail is shown by the next actor
        if (channel := self._channels.get(id)) is not None:
            await channel.broadcaster.dismiss(ENDED, FAREWELL_SECONDS)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
