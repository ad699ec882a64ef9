"""Stored sessions: created, listed, forked, erased; none of it needs an agent in memory."""

import logging
from collections.abc import Callable

from agent.errors import Problem, Unrecorded
from agent.history import History, Turn
from agent.protocol import (
    MOORING,
    AnyEvent,
    InputWithdrawn,
    Notice,
    Origin,
    Recorded,
    SessionCreated,
)
from agent.redaction import Redactor
from agent.sandbox.beneath import Beneath
from server.config import Limits
from server.errors import NoSuchSession, Refusal
from server.people import User
from server.sessions.fleet import Fleet
from server.sessions.loading import load_history
from server.sessions.manager import SessionManager
from server.sessions.restores import Restores
from server.sessions.rows import indexed
from server.sessions.workspaces import Workspaces
from server.store.port import NewFork, NewSession, RowPage, SessionRow, Store
from server.wire import outgoing

log = logging.getLogger(__name__)

NOT_AS_IT_WAS = (
    "The files of that time are gone: this fork has a copy of the files as they are now."
)


class Archive:
    """`context_of` gives the window of a model in tokens, `new_id` an id nobody guesses."""

    def __init__(
        self,
        store: Store,
        manager: SessionManager,
        workspaces: Workspaces,
        fleet: Fleet,
        *,
        limits: Limits,
        context_of: Callable[[str], int],
        new_id: Callable[[str], str],
        timestamp: Callable[[], str],
        redactor_of: Callable[[str], Redactor],
    ) -> None:
        self._store = store
        self._manager = manager
        self._workspaces = workspaces
        self._fleet = fleet
        self._limits = limits
        self._context_of = context_of
        self._new_id = new_id
        self._timestamp = timestamp
        self._redactor_of = redactor_of
        self._restores = Restores(store, manager, workspaces)

    async def create(
        self,
        user: User,
        title: str,
        model: str,
        key: str | None,
        mcp_servers: tuple[str, ...] | None = None,
    ) -> tuple[SessionRow, bool]:
        """The session, and whether it is new. Raises TooManySessions."""
        at = self._timestamp()
        begun = SessionCreated(model, title, mcp_servers=mcp_servers)
        created = self._redactor_of(user.id).event(begun)
        history = History([Recorded(1, at, created)])
        row, new = await self._store.create(
            NewSession(
                id=self._new_id("s"),
                owner=user.id,
                at=at,
                body=outgoing(1, at, created).body,
                indexed=indexed(history.digest(self._context_of(model))),
                at_most=self._limits.sessions_per_user,
                idempotency_key=key,
            )
        )
        if new:
            self._fleet.created(row)
        return row, new

    async def page(
        self, owner: str | None, *, limit: int, cursor: str | None, q: str, state: str
    ) -> RowPage:
        return await self._store.rows(owner, limit=limit, cursor=cursor, q=q, state=state)

    async def files(self, id: str) -> Beneath:
        """The files of a session as its log speaks of them, reached through no link."""
        await self._restores.finish(id)
        return await self._workspaces.beneath(id)

    async def erase(self, id: str) -> None:
        """Stop the session, free its workspace, erase its log, and tell its viewers."""
        async with self._manager.locks.hold(id):
            await self._manager.stop(id)
            try:
                await self._erase_log(id)
            except Problem:
                self._manager.revive(id)
                raise
            try:
                await self._workspaces.of(id).delete()
            finally:
                await self._manager.forget(id)

    async def _erase_log(self, id: str) -> None:
        """On a full disk the files make the room that erasing a log takes."""
        try:
            await self._store.delete(id)
        except Unrecorded:
            await self._workspaces.of(id).delete()
            await self._store.delete(id)

    async def sweep(self) -> None:
        """Free the workspaces of sessions that are not there: a crash parted the two. At the start,
        while nobody forks. Where the store is damaged, nothing is."""
        try:
            kept = await self._store.ids()
        except Problem as problem:
            log.error("no files are freed: %s", problem.message)
            return
        for id in await self._workspaces.names():
            if id not in kept:
                log.info("the files of session %s, which is not there any more, are freed", id)
                await self._workspaces.of(id).delete()

    async def fork(self, source: str, user: User, after: str | None) -> SessionRow:
        """An exact prefix of the log, up to the end of turn `after`, with the files of then."""
        async with self._manager.locks.hold(source):
            if await self._store.row(source) is None:
                raise NoSuchSession
            whole = await load_history(self._store, source)
            last = _fork_point(whole, after)
            target = self._new_id("s")
            later = [t.id for t in whole.turns.values() if t.began > last.ended]
            exact = await self._workspaces.copy(source, last.id, later, target)
            try:
                row = await self._store.fork(
                    await self._new_fork(source, target, user, last, exact)
                )
            except Problem:
                await self._workspaces.of(target).delete()
                raise
        self._fleet.created(row)
        return row

    async def _new_fork(
        self, source: str, target: str, user: User, last: Turn, exact: bool
    ) -> NewFork:
        at = self._timestamp()
        prefix = await load_history(self._store, source, through=last.ended)
        created = SessionCreated(
            prefix.model, prefix.title, Origin(source, last.id), prefix.mcp_servers
        )
        tail: list[AnyEvent] = [InputWithdrawn(s, MOORING) for s in prefix.queue]
        if not exact:
            tail.append(Notice("workspace_not_as_it_was", NOT_AS_IT_WAS))
        bodies = []
        for event in tail:
            bodies.append(outgoing(prefix.head + 1, at, event).body)
            prefix.apply(Recorded(prefix.head + 1, at, event))
        return NewFork(
            id=target,
            owner=user.id,
            at=at,
            source=source,
            through=last.ended,
            body=outgoing(1, at, created).body,
            tail=tuple(bodies),
            indexed=indexed(prefix.digest(self._context_of(prefix.model))),
            at_most=self._limits.sessions_per_user,
        )


def _fork_point(history: History, after: str | None) -> Turn:
    ended = [t for t in history.turns.values() if t.end is not None]
    if after is not None:
        ended = [t for t in ended if t.id == after]
    if not ended:
        what = f"There is no ended turn {after!r}" if after else "No turn has ended yet"
        raise Refusal(409, "no_such_turn", f"{what}; nothing can be forked from it.")
    return max(ended, key=lambda turn: turn.ended)
