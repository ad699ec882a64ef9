"""One TCP connection, held to a pace: headers, bodies and readers that stall are cut off."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import hdrs, web
from aiohttp.http import RawRequestMessage, WebSocketReader
from aiohttp.web_protocol import RequestHandler

from server.config import Pace
from server.errors import Refusal
from server.held import Held
from server.masks import Masked
from server.routes.answers import refusal

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often a connection that owes something is looked at; oftener where it has less time."""
FAREWELL_SECONDS = 5.0
"""How long one that was refused has for asking, so that it is told why."""
ANY_MOMENT = float("inf")
"""aiohttp puts off timers beyond a threshold to the next whole second, where the pings of thousands
of viewers would meet: here they stay as spread as their connections began."""


class Door(Protocol):
    """Lets an address in, as often as it may; raises Refusal."""

    def enter(self, address: str) -> Held: ...


class Connection(RequestHandler):
    """aiohttp's own, which waits for ever for whoever has begun and does not end.

    It owes something while headers or a body are under way, or an answer is not read; a WebSocket
    owes nothing: its own rooms have an eye on it.
    """

    __slots__ = (
        "_body",
        "_door",
        "_due",
        "_entered",
        "_look_at",
        "_look_seconds",
        "_pace",
        "_received",
        "_refused",
        "_since",
        "_unread",
        "_unread_since",
    )

    def __init__(self, manager: web.Server, door: Door, pace: Pace) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            timeout_ceil_threshold=ANY_MOMENT,
        )
        self._door = door
        self._pace = pace
        shortest = min(pace.header_seconds, pace.body_seconds, pace.unread_seconds)
        self._look_seconds = min(LOOK_SECONDS, shortest / 4)
        self._entered: Held | None = None
        self._refused: Refusal | None = None
        self._look_at: asyncio.TimerHandle | None = None
        self._since: float | None = None
        """Since when headers are under way; None while they are not."""
        self._body: Any = None
        """The body that is under way; `_due` is when it is too late, if nothing more comes."""
        self._due = 0.0
        self._received = 0
        self._unread: object = None
        self._unread_since = 0.0

    # -- what asyncio calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        try:
            self._entered = self._door.enter(peer[0] if peer else "")
        except Refusal as refused:
            self._refuse(transport, refused)
            return
        super().connection_made(transport)
        self._since = self._loop.time()
        self._look_later()

    def data_received(self, data: bytes) -> None:
        if self._refused is not None:
            self._say_no()
            return
        self._received += len(data)
        super().data_received(data)
        if self._upgraded:
            if self._messages:
                self._lighten()
            return
        if not self._idle:
            self._since = None
        elif self._since is None and data:
            self._since = self._loop.time()
        if self._look_at is None and data:
            self._look_later()

    def set_parser(
        self, parser: WebSocketReader, data_received_cb: Callable[[], None] | None = None
    ) -> None:
        """From here on it is a WebSocket; what came of it with the handshake is parsed in here."""
        super().set_parser(Masked(parser), data_received_cb)  # type: ignore[arg-type]

    def _lighten(self) -> None:
        """A handshake is kept as long as its socket lives: what stood in its headers is, once."""
        asked, body = self._messages.pop()
        if isinstance(asked, RawRequestMessage):
            asked = asked._replace(raw_headers=())
        self._messages.append((asked, body))

    def connection_lost(self, error: BaseException | None) -> None:
        if self._look_at is not None:
            self._look_at.cancel()
        if self._entered is not None:
            self._entered.__exit__(None, None, None)
        transport = self.transport
        if self._refused is None:
            super().connection_lost(error)
        if getattr(transport, "_read_ready_cb", None) is not None:
            transport._read_ready_cb = None  # type: ignore[union-attr] # a ring with itself

    # -- who is not let in --

    def _refuse(self, transport: asyncio.BaseTransport, refused: Refusal) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._refused = refused
        self.transport = transport
        self._look_at = self._loop.call_later(FAREWELL_SECONDS, transport.abort)

    def _say_no(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            assert self._refused is not None
            self.transport.write(_in_bytes(self._refused))
            self.transport.close()

    # -- who is let in, and dawdles --

    @property
    def _idle(self) -> bool:
        """No request is being answered, and none is waiting."""
        return self._waiter is not None and not self._waiter.done()

    def _look_later(self) -> None:
        self._look_at = self._loop.call_later(self._look_seconds, self._look)

    def _look(self) -> None:
        self._look_at = None
        if self.transport is None or self.transport.is_closing() or self._upgraded:
            return
        now = self._loop.time()
        if self._idle and self._since is None:
            return  # between two requests; aiohttp ends what stays so for long
        if self._idle:
            self._look_at_headers(now)
        else:
            self._look_at_body(now)
            self._look_at_reader(now)
        self._look_later()

    def _look_at_headers(self, now: float) -> None:
        assert self._since is not None
        if now - self._since >= self._pace.header_seconds:
            if self._received and self.transport is not None:
                self.transport.write(_in_bytes(_too_slow("headers", self._pace.header_seconds)))
            self.force_close()

    def _look_at_body(self, now: float) -> None:
        """Each byte buys time; a body that nobody reads here owes nothing."""
        request = self._current_request
        body = None if request is None or request.content.is_eof() else request.content
        if body is not self._body or self._reading_paused:
            self._body, self._due = body, now + self._pace.body_seconds
        elif body is not None:
            self._due += self._received / self._pace.body_bytes_per_second
            self._due = min(self._due, now + self._pace.body_seconds)
            if now >= self._due:
                body.set_exception(_too_slow("body", self._pace.body_seconds))
                self._lingering_time = 0.0  # what is missing is not waited for again
                self.close()
        self._received = 0

    def _look_at_reader(self, now: float) -> None:
        """A client that takes nothing of its answer holds a file and a buffer here."""
        assert self.transport is not None
        unread = self.transport.get_write_buffer_size()
        if not unread or unread != self._unread:
            self._unread, self._unread_since = unread, now
        elif now - self._unread_since >= self._pace.unread_seconds:
            log.info("a client that reads nothing of its answer is cut off")
            self.transport.abort()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """What is left of a body is read and thrown away for a while, so that the answer arrives;
        but not inflated for that: a bomb would go off after it was refused."""
        if hdrs.CONTENT_ENCODING in request.headers and not request.content.is_eof():
            self._lingering_time = 0.0
        return await super().finish_response(request, resp, start_time)

    # -- what is no HTTP --

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What cannot even be parsed is told in the one shape of errors."""
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        log.debug("a request that is none: %s", exc)
        what = " ".join((message or "The request cannot be read.").split())[:200]
        answer = refusal(status, "bad_request", what)
        answer.headers.update({"Server": "mooring", "X-Content-Type-Options": "nosniff"})
        answer.force_close()
        return answer


def connections(manager: web.Server, door: Door, pace: Pace) -> Callable[[], Connection]:
    """What asyncio calls for each connection that it accepts."""
    return lambda: Connection(manager, door, pace)


def _too_slow(what: str, seconds: float) -> Refusal:
    return Refusal(408, "too_slow", f"The {what} did not come within {seconds:g} s; send it again.")


def _in_bytes(refused: Refusal) -> bytes:
    answer = refusal(refused.status, refused.code, refused.message, refused.retry_after)
    body = answer.body
    assert isinstance(body, bytes)
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
