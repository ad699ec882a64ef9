"""The dashboard socket: all sessions at once, then what changes, at most twice a second."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

from aiohttp import ClientError, WSMsgType, web

from agent.errors import Problem
from server.access import access, allows
from server.goodbyes import FAREWELL_SECONDS, NOT_ANY_MORE, UNAVAILABLE
from server.identity.gate import GATE
from server.identity.sharing import SHARING
from server.keys import ARCHIVE, BOARDS, FLEET, SESSIONS, STORE, USER
from server.memory import resident_mib
from server.people import Role
from server.routes.socket import counted, upgradable
from server.sessions.archive import Archive
from server.sessions.channel import Channel
from server.sessions.fleet import TICK, Fleet, View
from server.sessions.manager import SessionManager
from server.store.port import SessionRow, Store
from server.times import timestamp
from server.wire import Bye, Frame, Heartbeat, Row, Tally, Totals, encode
from server.wire import Fleet as FleetFrame

log = logging.getLogger(__name__)

HEARTBEAT_TICKS = round(20 / TICK)
PAGE = 500


async def dashboard(request: web.Request) -> web.StreamResponse:
    """Users see their own sessions and those that are shared with them, operators all."""
    app, user = request.app, request[USER]
    owner = None if allows(user.role, "none", "read") else user.id
    ws = upgradable(request, web.WebSocketResponse)
    with counted(request), app[FLEET].view(owner, user.id) as view:
        await app[SHARING].show(view, user)
        await ws.prepare(request)
        board = Board(
            ws,
            view,
            user.role,
            app[FLEET],
            app[SESSIONS],
            app[ARCHIVE],
            app[STORE],
            hang_up=lambda: _cut(request),
        )
        showing = asyncio.create_task(board.show())
        showing.add_done_callback(lambda task: _cut_if_failed(task, request))
        app[BOARDS].add(board)
        with app[GATE].watched(user, lambda: board.part(NOT_ANY_MORE)):
            try:
                # It only listens: what a dashboard says is read and thrown away.
                while (await ws.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    pass
            finally:
                app[BOARDS].discard(board)
                showing.cancel()
                await asyncio.gather(showing, return_exceptions=True)
    return ws


def _cut_if_failed(showing: asyncio.Task[None], request: web.Request) -> None:
    """A mistake of ours: a board on which nothing is shown any more must not look alive."""
    if showing.cancelled() or (error := showing.exception()) is None:
        return
    log.error("a dashboard failed", exc_info=error)
    _cut(request)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


class Board:
    """One dashboard, served by its own task: a slow one waits for itself alone."""

    def __init__(
        self,
        ws: web.WebSocketResponse,
        view: View,
        role: Role,
        fleet: Fleet,
        sessions: SessionManager,
        archive: Archive,
        store: Store,
        *,
        hang_up: Callable[[], None],
        tick: float = TICK,
        farewell: float = FAREWELL_SECONDS,
    ) -> None:
        """`hang_up` cuts off who does not hear the goodbye within `farewell` seconds."""
        self._hang_up = hang_up
        self._tick = tick
        self._farewell = farewell
        self._ws = ws
        self._view = view
        self._role = role
        self._fleet = fleet
        self._sessions = sessions
        self._archive = archive
        self._store = store
        self._shown: dict[str, Row] = {}
        self._tally: Tally | None = None
        self._bye: Bye | None = None

    def part(self, bye: Bye) -> None:
        """Say why and close, at the next tick at the latest."""
        self._bye = bye

    async def show(self) -> None:
        """Until the connection is over."""
        try:
            await self._show_all()
            quiet = 0
            while self._bye is None:
                await asyncio.sleep(self._tick)
                quiet = 0 if await self._show_changes() else quiet + 1
                if quiet >= HEARTBEAT_TICKS:
                    await self._send(Heartbeat(at=timestamp()))
                    quiet = 0
        except Problem:
            self._bye = UNAVAILABLE
        except (ConnectionError, ClientError):
            return
        await self.close(self._bye)

    async def close(self, bye: Bye) -> None:
        """Say why, and do not wait long for one who does not read."""
        if self._ws.closed:
            return
        try:
            async with asyncio.timeout(self._farewell):
                await self._send(bye)
                await self._ws.close(code=bye.code, message=bye.reason.encode()[:123])
        except TimeoutError:
            self._hang_up()
        except (ConnectionError, ClientError):
            pass  # it has gone before

    async def _show_all(self) -> None:
        self._view.take()
        seen = [self._sessions.seen(row) async for row in self._rows()]
        rows = [row for session in seen if (row := self._row(session)) is not None]
        self._shown = {row.id: row for row in rows}
        totals = await self._totals()
        self._tally = totals.sessions
        await self._send(FleetFrame(full=True, at=timestamp(), sessions=tuple(rows), totals=totals))

    async def _show_changes(self) -> bool:
        """Whether there was anything to show."""
        changed, erased = self._view.take()
        # Only what it was shown can go from it: it hears of no other people's sessions.
        gone = tuple(id for id in erased if self._shown.pop(id, None) is not None)
        if not changed and not gone:
            return False
        rows = [row for session in changed if (row := self._row(session)) is not None]
        new = tuple(row for row in rows if self._shown.get(row.id) != row)
        self._shown.update({row.id: row for row in new})
        totals = await self._totals()
        if not new and not gone and totals.sessions == self._tally:
            return False
        self._tally = totals.sessions
        await self._send(FleetFrame(full=False, sessions=new, totals=totals, gone=gone))
        return True

    def _row(self, session: Channel | SessionRow) -> Row | None:
        """As its user may see it; None where they may not."""
        row = session if isinstance(session, SessionRow) else session.row
        relation = self._view.relation(row)
        if not allows(self._role, relation, "read"):
            return None
        return self._fleet.row_of(session, access(self._role, relation))

    async def _rows(self) -> AsyncIterator[SessionRow]:
        cursor: str | None = None
        while True:
            page = await self._archive.page(
                self._view.owner, limit=PAGE, cursor=cursor, q="", state=""
            )
            for row in page.rows:
                yield row
            if (cursor := page.next_cursor) is None:
                return

    async def _totals(self) -> Totals:
        """What the machine has to do is told to those who see everybody's sessions alone."""
        owner, count = self._view.owner, self._store.count
        turns, failed = self._fleet.per_minute(owner)
        return Totals(
            sessions=Tally(
                live=self._sessions.live_of(owner),
                running=await count(owner, "running"),
                awaiting_approval=await count(owner, "awaiting_approval"),
                stored=sum(owner in (None, row.owner) for row in self._shown.values()),
            ),
            viewers=self._sessions.viewers_of(owner),
            tokens_per_second=self._fleet.tokens_per_second(owner),
            turns_per_minute=turns,
            errors_per_minute=failed,
            cost_usd_today=self._fleet.cost_today(owner),
            loop_lag_ms=self._fleet.loop_lag_ms if owner is None else 0.0,
            memory_mib=resident_mib() if owner is None else 0.0,
        )

    async def _send(self, frame: Frame) -> None:
        await self._ws.send_str(encode(frame).decode())
