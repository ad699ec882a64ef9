"""The session socket: the contract's order after the upgrade, then frames both ways."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from aiohttp import WSMsgType, web
from msgspec import structs

from agent.protocol import AnySubmission
from server.access import access, allows
from server.delivery.broadcast import Broadcaster
from server.delivery.deflate import DeflatedSocket
from server.delivery.limits import DeliveryLimits
from server.delivery.outlet import outlet_of
from server.delivery.replay import Wish
from server.delivery.viewer import Viewer
from server.errors import NoSuchSession, Refusal
from server.goodbyes import (
    DELETED,
    MISTAKE,
    NOT_ANY_MORE,
    NOT_SHARED,
    PROTOCOL_VIOLATION,
    TOO_LARGE,
)
from server.held import Held
from server.identity.gate import GATE
from server.identity.sharing import SHARING, Standing
from server.keys import CONNECTIONS, LIMITS, RATES, RELATION, ROW, SESSIONS, USER
from server.routes import asked, submissions
from server.wire import SUBPROTOCOL, Person, Refused

LARGEST_MESSAGE = 4 * submissions.LONGEST_FRAME
"""What is read at all, so that a frame over the limit is told so before the close."""
PING_SECONDS = 30.0
"""After which a peer that is silently gone is found out."""
MOST_MALFORMED = 20
MALFORMED_SECONDS = 60.0
MOST_IN_FLIGHT = 64
"""Frames of one connection that wait for their commit; the next is not read before."""


async def socket(request: web.Request) -> web.StreamResponse:
    user, limits, sharing = request[USER], request.app[LIMITS], request.app[SHARING]
    standing = Standing(user, request[ROW], request[RELATION])
    wish = _wish(request)
    ws = upgradable(request, DeflatedSocket)
    with counted(request), sharing.watched(standing):
        await sharing.confirm(standing)
        async with request.app[SESSIONS].attach(standing.session.id) as channel:
            if channel.viewers >= limits.viewers_per_session:
                raise Refusal(
                    429,
                    "too_many_connections",
                    f"This session has {channel.viewers} of {limits.viewers_per_session} viewers.",
                    retry_after=5,
                )
            await ws.prepare(request)
            try:
                outlet = outlet_of(request, DeliveryLimits())
            except ConnectionResetError:
                return ws
            wish = structs.replace(wish, deflated=ws.deflates)
            viewers = channel.broadcaster
            async with viewers.join(outlet, ws.hang_up, wish, person_of(standing)) as viewer:
                talk = Conversation(ws, viewer, request.app[submissions.DESK], standing)
                standing.changed = lambda: talk.stands(viewers)
                with request.app[GATE].watched(user, talk.revoked):
                    await talk.run()
    return ws


def counted(request: web.Request) -> Held:
    """The user's and the address' connection, while inside. Raises Refusal or Refused."""
    user, address = request[USER].id, request.remote or ""
    request.app[RATES].handshake(user, address)
    return request.app[CONNECTIONS].one_more(user, address)


def person_of(standing: Standing) -> Person:
    user = standing.user
    return Person(user.id, user.name, access(user.role, standing.relation))


Socket = TypeVar("Socket", bound=web.WebSocketResponse)


def upgradable(request: web.Request, kind: type[Socket]) -> Socket:
    """Raises Refusal where the request is no WebSocket handshake."""
    ws = kind(
        protocols=(SUBPROTOCOL,),
        compress=False,
        max_msg_size=LARGEST_MESSAGE,
        heartbeat=PING_SECONDS,
    )
    if not ws.can_prepare(request).ok:
        raise Refusal(426, "upgrade_required", "This address speaks WebSocket only.")
    return ws


def _wish(request: web.Request) -> Wish:
    deltas = asked.one_of(request, "deltas", ("all", "none"), default="all")
    return Wish(
        after=asked.number(request, "after", 0),
        log=asked.text(request, "log") or None,
        most=asked.number(request, "most", 0, least=1) or None,
        deltas=deltas == "all",
    )


class Conversation:
    """What one client says, in order; each frame is answered once."""

    __slots__ = ("_clock", "_desk", "_in_flight", "_malformed", "_standing", "_viewer", "_ws")

    def __init__(
        self,
        ws: web.WebSocketResponse,
        viewer: Viewer,
        desk: submissions.Desk,
        standing: Standing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ws = ws
        self._viewer = viewer
        self._desk = desk
        self._standing = standing
        self._clock = clock
        self._malformed: list[float] = []
        self._in_flight: dict[asyncio.Task[None], None] = {}

    async def run(self) -> None:
        """Until the connection is over; what was judged by then takes effect all the same."""
        try:
            while (message := await self._viewer.next(self._ws.receive)) is not None:
                match message.type:
                    case WSMsgType.TEXT:
                        await self._hear(message.data)
                    case WSMsgType.BINARY:
                        self._refuse(submissions.Malformed(None, "Frames are text, not binary."))
                    case _:
                        return
        finally:
            for task in self._in_flight:
                task.cancel()
            await asyncio.gather(*self._in_flight, return_exceptions=True)

    def revoked(self) -> None:
        """What the user came with is valid no more."""
        self._viewer.part(NOT_ANY_MORE)

    def stands(self, viewers: Broadcaster) -> None:
        """What the user is to the session is something else now."""
        if allows(self._standing.user.role, self._standing.relation, "read"):
            viewers.introduce(self._viewer, person_of(self._standing))
        else:
            self._viewer.part(NOT_SHARED)

    async def _hear(self, text: str) -> None:
        if len(text) > submissions.LONGEST_FRAME or (
            4 * len(text) > submissions.LONGEST_FRAME
            and len(text.encode(errors="replace")) > submissions.LONGEST_FRAME
        ):
            self._viewer.part(TOO_LARGE)
            return
        try:
            submission = submissions.read(text)
        except submissions.Malformed as problem:
            self._refuse(problem)
            return
        while len(self._in_flight) >= MOST_IN_FLIGHT:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._answer(submission))
        self._in_flight[task] = None
        task.add_done_callback(self._answered)

    async def _answer(self, submission: AnySubmission) -> None:
        try:
            answer = await self._desk.answer(self._standing, submission)
        except NoSuchSession:
            self._viewer.part(DELETED)
            return
        self._viewer.answer(answer)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._in_flight.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a submission failed", "exception": error}
            )
            self._viewer.part(MISTAKE)

    def _refuse(self, problem: submissions.Malformed) -> None:
        """Each is answered; the twentieth within a minute is the last."""
        self._viewer.answer(Refused(problem.id, problem.code, problem.message))
        self._malformed.append(self._clock())
        del self._malformed[:-MOST_MALFORMED]
        full = len(self._malformed) == MOST_MALFORMED
        if full and self._malformed[-1] - self._malformed[0] <= MALFORMED_SECONDS:
            self._viewer.part(PROTOCOL_VIOLATION)
