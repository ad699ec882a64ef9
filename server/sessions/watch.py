"""Background jobs of all sessions: each followed by a task, its end handed to its session."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

from agent.errors import Problem, Refused
from agent.protocol import JobEnded, JobId, JobStarted, Recorded, SessionEnded
from agent.redaction import Redactor
from agent.session import Session
from agent.tools.job_port import JobEnd, JobWatch
from agent.tools.port import Keys
from server.errors import NoSuchSession
from server.sessions.channel import Channel
from server.sessions.channels import Attachment
from server.sessions.loading import load_history
from server.store.port import SessionRow, Store

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds between two tries to record an end; the wait doubles."""
MOST_FOLLOWED = 1_000
"""Jobs that are followed at once; further ones wait until one of them has ended."""


class Home(Protocol):
    """Where sessions live."""

    def attach(self, id: str) -> Attachment: ...

    async def woken(self, id: str) -> Session: ...


class Watch:
    """Follows a job from the commit that tells of it, or from the start of the server, until its
    end is in the log, its session ends or is gone. It never stops a job."""

    def __init__(
        self,
        store: Store,
        home: Home,
        jobs: JobWatch,
        keys_of: Callable[[str], Keys],
        redactor_of: Callable[[str], Redactor],
        *,
        most: int = MOST_FOLLOWED,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._home = home
        self._jobs = jobs
        self._keys_of = keys_of
        self._redactor_of = redactor_of
        self._room = asyncio.Semaphore(most)
        self._sleep = sleep
        self._tasks: dict[tuple[str, JobId], asyncio.Task[None]] = {}

    async def begin(self) -> None:
        """Go on with the jobs that were followed when the server ended."""
        for id in await self._store.with_jobs():
            try:
                if (row := await self._store.row(id)) is not None:
                    await self._resume(row)
            except Problem as problem:
                log.error("the jobs of session %s are not followed: %s", id, problem.message)

    async def close(self) -> None:
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- told by sessions, as they commit --

    def recorded(self, channel: Channel, entries: Sequence[Recorded]) -> None:
        row = channel.row
        for entry in entries:
            match entry.event:
                case JobStarted() as started:
                    self._follow(row, started)
                case SessionEnded():
                    self.gone(row.id)
                case _:
                    pass

    def created(self, row: SessionRow) -> None:
        """A fork has the jobs of the prefix it copies."""
        if row.indexed.jobs:
            self._own((row.id, ""), self._resume(row))

    def gone(self, session: str) -> None:
        for (whose, _), task in tuple(self._tasks.items()):
            if whose == session:
                task.cancel()

    # -- following --

    async def _resume(self, row: SessionRow) -> None:
        history = await load_history(self._store, row.id)
        for job in history.jobs.open if not history.ended else ():
            self._follow(row, job.started)

    def _follow(self, row: SessionRow, started: JobStarted) -> None:
        if (row.id, started.job) not in self._tasks:
            self._own((row.id, started.job), self._watch(row, started))

    def _own(self, key: tuple[str, JobId], work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks[key] = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._done(key, done))

    def _done(self, key: tuple[str, JobId], task: asyncio.Task[None]) -> None:
        self._tasks.pop(key, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("job %s of session %s is followed no more", key[1], key[0], exc_info=error)

    async def _watch(self, row: SessionRow, started: JobStarted) -> None:
        """The log stays in sight until the event that closes it."""
        try:
            async with self._room, self._home.attach(row.id) as channel:
                text = channel.broadcaster.open("job_log", started.turn, started.job)
                clean = self._redactor_of(row.owner).stream()
                end = await self._jobs.follow(
                    started.job, self._keys_of(row.owner), lambda more: text.grow(clean.grow(more))
                )
                text.grow(clean.rest())
                await self._tell(row.id, _ended(started, end))
        except NoSuchSession:
            return

    async def _tell(self, session: str, ended: JobEnded) -> None:
        """Until it is in the log; a session that cannot take it now is asked again."""
        wait = FIRST_WAIT
        while True:
            try:
                self._refuse_on_full_disk()
                await (await self._home.woken(session)).report(ended)
            except NoSuchSession:
                raise
            except Problem as problem:
                log.warning("the end of job %s is not recorded: %s", ended.job, problem.message)
            else:
                return
            await self._sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def _refuse_on_full_disk(self) -> None:
        """What it may begin needs room."""
        if cramped := self._store.cramped:
            raise Refused("unavailable", cramped)


def _ended(started: JobStarted, end: JobEnd) -> JobEnded:
    seconds = round(end.seconds, 3)
    return JobEnded(
        started.job, end.status, end.output, seconds, end.cost_usd, end.url or started.url
    )
