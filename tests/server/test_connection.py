"""A connection is held to a pace, counted, and answered in one shape when it speaks no HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from msgspec import structs

from server.config import Pace
from server.connection import connections
from server.proxies import Proxies
from server.routes.answers import errors
from server.sessions.quotas import Addresses

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
PATIENT = Pace(header_seconds=60, body_seconds=60, unread_seconds=60)
LONG = b"x" * (64 * 1024 * 1024)


async def _takes(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


async def _gives(request: web.Request) -> web.StreamResponse:
    return web.Response(body=LONG)


async def _upgrades(request: web.Request) -> web.WebSocketResponse:
    """Says what it still has of the handshake."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_json([request.headers["X-Said"], len(request.raw_headers)])
    return socket


@asynccontextmanager
async def listening(pace: Pace = PATIENT, most: int = 10) -> AsyncIterator[int]:
    """The port of a server that takes bodies and gives long ones."""
    app = web.Application(middlewares=(errors,), client_max_size=1 << 30)
    app.add_routes((web.post("/", _takes), web.get("/", _gives), web.get("/up", _upgrades)))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    assert runner.server is not None
    made = connections(runner.server, Addresses(most, Proxies(())), pace)
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()


class Peer(asyncio.Protocol):
    """The other end: what it heard is kept, also when the connection is reset."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.closed = asyncio.Event()
        self._changed = asyncio.Event()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self._changed.set()

    def connection_lost(self, error: BaseException | None) -> None:
        self.closed.set()
        self._changed.set()

    def say(self, data: bytes) -> None:
        self.transport.write(data)

    async def hears(self, what: bytes) -> None:
        async with asyncio.timeout(30):
            while what not in self.heard:
                assert not self.closed.is_set(), self.heard
                self._changed.clear()
                await self._changed.wait()

    async def rest(self) -> bytes:
        """All that came until the server closed."""
        async with asyncio.timeout(30):
            await self.closed.wait()
        return bytes(self.heard)

    async def refusal(self) -> tuple[int, str]:
        """Status and code of the answer that closes the connection."""
        head, _, body = (await self.rest()).rpartition(b"\r\n\r\n")
        head = head[head.rindex(b"HTTP/1") :]
        assert b"connection: close" in head.lower() or head.startswith(b"HTTP/1.0 "), head
        return int(head.split()[1]), json.loads(body)["error"]["code"]

    async def trickles(self, piece: bytes) -> None:
        """For ever, or until the other side has closed."""
        while not self.closed.is_set():
            self.say(piece)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def peer(port: int) -> AsyncIterator[Peer]:
    loop = asyncio.get_running_loop()
    transport, one = await loop.create_connection(Peer, "127.0.0.1", port)
    try:
        yield one
    finally:
        transport.abort()


async def test_who_says_nothing_is_cut_off() -> None:
    async with listening(structs.replace(PATIENT, header_seconds=0.1)) as port, peer(port) as quiet:
        assert await quiet.rest() == b""


async def test_headers_that_trickle_are_cut_off_however_lively_they_do() -> None:
    hasty = structs.replace(PATIENT, header_seconds=0.3)
    async with listening(hasty) as port, peer(port) as slow:
        slow.say(b"GET / HTTP/1.1\r\nHost: x\r\n")
        trickling = asyncio.create_task(slow.trickles(b"X-A: b\r\n"))
        assert (await slow.rest()).startswith(b"HTTP/1.1 408 ")
        trickling.cancel()


async def test_a_second_request_is_held_to_the_same_pace() -> None:
    hasty = structs.replace(PATIENT, header_seconds=1)
    async with listening(hasty) as port, peer(port) as slow:
        slow.say(HEAD % 1 + b"x")
        await slow.hears(b"\r\n\r\n1")
        assert slow.heard.startswith(b"HTTP/1.1 200")
        slow.say(b"GET / HT")
        assert await slow.refusal() == (408, "too_slow")


async def test_a_connection_at_rest_between_requests_is_left_alone() -> None:
    hasty = structs.replace(PATIENT, header_seconds=1)
    async with listening(hasty) as port, peer(port) as one, peer(port) as other:
        one.say(HEAD % 1 + b"x")
        await one.hears(b"\r\n\r\n1")
        assert await other.rest() == b""  # it opened later, said nothing, and is cut off
        one.say(HEAD % 2 + b"xx")
        await one.hears(b"\r\n\r\n2")


async def test_a_body_that_trickles_is_cut_off() -> None:
    hasty = structs.replace(PATIENT, body_seconds=0.3, body_bytes_per_second=100_000)
    async with listening(hasty) as port, peer(port) as slow:
        slow.say(HEAD % 1_000_000)
        trickling = asyncio.create_task(slow.trickles(b"x"))
        assert await slow.refusal() == (408, "too_slow")
        trickling.cancel()


async def test_a_body_that_stops_is_cut_off() -> None:
    hasty = structs.replace(PATIENT, body_seconds=0.2)
    async with listening(hasty) as port, peer(port) as slow:
        slow.say(HEAD % 1_000 + b"x")
        assert await slow.refusal() == (408, "too_slow")


async def test_a_slow_body_that_keeps_coming_is_taken_however_long_it_takes() -> None:
    hasty = structs.replace(PATIENT, body_seconds=2, body_bytes_per_second=1)
    pieces = 250
    async with listening(hasty) as port, peer(port) as slow:
        slow.say(HEAD % (pieces * 100))
        for _ in range(pieces):
            slow.say(b"x" * 100)
            await asyncio.sleep(0.01)
        await slow.hears(b"\r\n\r\n25000")
        assert slow.heard.startswith(b"HTTP/1.1 200")


async def test_who_does_not_read_the_answer_is_cut_off() -> None:
    hasty = structs.replace(PATIENT, unread_seconds=0.2)
    async with listening(hasty) as port, peer(port) as deaf:
        deaf.transport.pause_reading()
        deaf.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(30):
            while not deaf.closed.is_set():
                deaf.say(b"\r\n")  # only so does one who does not read learn that it is over
                await asyncio.sleep(0.01)


async def test_what_a_handshake_said_is_kept_once() -> None:
    async with listening() as port, ClientSession() as client:
        address = f"http://127.0.0.1:{port}/up"
        async with client.ws_connect(address, headers={"X-Said": "here"}) as socket:
            assert await socket.receive_json() == ["here", 0]


async def test_an_address_has_no_more_connections_than_allowed_and_is_told() -> None:
    async with listening(most=2) as port:
        async with peer(port) as one, peer(port):
            one.say(HEAD % 1 + b"x")
            await one.hears(b"\r\n\r\n1")
            async with peer(port) as third:
                third.say(HEAD % 1 + b"x")
                assert await third.refusal() == (429, "too_many_connections")
        async with asyncio.timeout(30):
            while True:  # the server hears of an end a moment later
                async with peer(port) as again:
                    again.say(HEAD % 1 + b"x")
                    await again.hears(b"\r\n")
                    if again.heard.startswith(b"HTTP/1.1 200"):
                        return


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 1_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: y\r\n\r\nGET / HTTP/9.9\r\n\r\n",
    ],
    ids=["tls", "space", "nul", "line", "field", "fields", "version"],
)
async def test_what_is_no_http_is_refused_in_the_shape_of_errors(request_: bytes) -> None:
    async with listening() as port, peer(port) as odd:
        odd.say(request_)
        assert await odd.refusal() == (400, "bad_request")
