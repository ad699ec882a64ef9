"""The test model's door: it plays queued replies and remembers what it was asked."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web
from msgspec import Struct

from tests.model_server.reply import Held, Json, Reply

DEFAULT = Reply(text="All right, that is done.")
DEFAULT_PLAIN = Reply(text="A short title")


class Seen(Struct, frozen=True):
    """A request as it arrived; header names are lower case. `peer` names its TCP connection."""

    body: Json
    headers: Mapping[str, str]
    peer: object = None

    @property
    def messages(self) -> list[Json]:
        found: list[Json] = self.body["messages"]
        return found

    @property
    def last_user_text(self) -> str:
        return next((m["content"] for m in reversed(self.messages) if m["role"] == "user"), "")


class ModelServer:
    """Queues are played in order: `play` for requests with tools, `play_plain` for those without.

    When a queue is empty, `answer` is asked (a function of the request), then the default is said.
    `requests` and `plain_requests` hold what arrived; `disconnected` counts the streams that the
    client closed before their end.
    """

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Seen] = []
        self.plain_requests: list[Seen] = []
        self.disconnected = 0
        self.answer: Callable[[Seen], Reply | None] = lambda seen: None
        self.default = DEFAULT
        self.default_plain = DEFAULT_PLAIN
        self._queue: deque[Reply] = deque()
        self._plain: deque[Reply] = deque()
        self._changed = asyncio.Condition()
        self._streams: set[asyncio.Task[Any]] = set()
        self._port = port
        self._closing = False
        self._runner: web.AppRunner

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def play(self, *replies: Reply) -> None:
        self._queue.extend(replies)

    def play_plain(self, *replies: Reply) -> None:
        self._plain.extend(replies)

    async def request_arrived(self, count: int = 1) -> Seen:
        """Wait until `count` requests with tools have arrived in all; the last of them."""
        await self._until(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def plain_request_arrived(self, count: int = 1) -> Seen:
        await self._until(lambda: len(self.plain_requests) >= count)
        return self.plain_requests[count - 1]

    async def client_left(self, count: int = 1) -> None:
        """Wait until the client has closed `count` streams before their end."""
        await self._until(lambda: self.disconnected >= count)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        for stream in self._streams:
            stream.cancel()
        await self._runner.cleanup()

    async def _until(self, happened: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(happened)

    async def _announce(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        reply = self._next_reply(await self._see(request))
        await self._announce()
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            return await self._reply(request, reply)
        except (asyncio.CancelledError, ConnectionError):
            if not self._closing and not _cuts(reply):
                self.disconnected += 1
                await self._announce()
            raise
        finally:
            self._streams.discard(task)
            await self._announce()

    async def _see(self, request: web.Request) -> Seen:
        body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        headers = {name.lower(): value for name, value in request.headers.items()}
        peer = request.transport and request.transport.get_extra_info("peername")
        return Seen(body, headers, peer)

    def _next_reply(self, seen: Seen) -> Reply:
        plain = not seen.body.get("tools")
        (self.plain_requests if plain else self.requests).append(seen)
        queue = self._plain if plain else self._queue
        if queue:
            return queue.popleft()
        return self.answer(seen) or (self.default_plain if plain else self.default)

    async def _reply(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        await _held(reply, "start")
        if reply.hang_up:
            await _abort(request)
        if reply.status != 200:
            raw = isinstance(reply.body, bytes)
            body = reply.body if raw else msgspec.json.encode(reply.body)
            kind = "text/html" if raw else "application/json"
            headers = {"Content-Type": kind, **reply.headers}
            return web.Response(status=reply.status, body=body, headers=headers)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.headers.update(reply.headers)
        await response.prepare(request)
        await self._stream(request, response, reply)
        return response

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, reply: Reply
    ) -> None:
        await self._passed(request, reply, 0)
        for number, event in enumerate(reply.content(), 1):
            data = event if isinstance(event, bytes) else reply.wire.event(event)
            await _write(response, data, reply.wire.packet)
            await self._passed(request, reply, number)
        await _held(reply, "end")
        tail = b"".join(reply.wire.event(event) for event in reply.ending())
        if reply.wire.done:
            tail += reply.wire.event("[DONE]")
        await _write(response, tail, reply.wire.packet)

    async def _passed(self, request: web.Request, reply: Reply, place: int) -> None:
        """What happens after content chunk `place`; 0 is after the headers."""
        if reply.cut_after == place:
            await _abort(request)
        await _held(reply, place)
        if reply.pace:
            await asyncio.sleep(reply.pace)


async def _held(reply: Reply, place: Held) -> None:
    if gate := reply.hold.get(place):
        await gate.wait()


async def _write(response: web.StreamResponse, data: bytes, packet: int | None) -> None:
    size = packet or max(len(data), 1)
    for start in range(0, len(data), size):
        await response.write(data[start : start + size])
        await asyncio.sleep(0)


def _cuts(reply: Reply) -> bool:
    return reply.hang_up or reply.cut_after is not None


async def _abort(request: web.Request) -> None:
    """Reset the TCP connection: no more bytes, no clean end. Its loss cancels the handler."""
    if request.transport is not None:
        request.transport.abort()
    await asyncio.Event().wait()
