"""What a waiting socket weighs: neither a table of names of its own, nor a reader of requests."""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import ClientSession, WSMsgType, web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import make_mocked_request

from server.delivery.lean import LeanSocket, shed
from tests.server.sessions.house import eventually

SHARED_AT_MOST = 30
"""Attributes whose names CPython lets all objects of a class share."""
SOON = 2.0
"""Seconds until a ping; half as long an answer may take, also on a busy machine."""


class Waiting:
    """A server that keeps its sockets and their requests in sight."""

    def __init__(self, heartbeat: float = 30.0) -> None:
        self.sockets: list[tuple[web.Request, LeanSocket]] = []
        self.left = asyncio.Event()
        self._heartbeat = heartbeat

    async def watch(self, request: web.Request) -> web.WebSocketResponse:
        ws = LeanSocket(compress=False, heartbeat=self._heartbeat)
        await ws.prepare(request)
        self.sockets.append((request, ws))
        try:
            while (message := await ws.receive()).type is WSMsgType.TEXT:
                await ws.send_str(message.data)
        finally:
            self.left.set()
        return ws

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self.watch)
        app.router.add_get("/before", before)
        return app


async def before(request: web.Request) -> web.Response:
    return web.Response(text="before")


async def test_a_socket_that_was_pinged_shares_the_table_of_its_names(
    aiohttp_client: AiohttpClient,
) -> None:
    waiting = Waiting(heartbeat=SOON)
    client = await aiohttp_client(waiting.app())
    ws = await client.ws_connect("/", autoping=False)
    assert (await ws.receive()).type is WSMsgType.PING
    await ws.pong()
    await ws.send_str("still here")
    while (heard := await ws.receive()).type is not WSMsgType.TEXT:
        await ws.pong()
    ((_, socket),) = waiting.sockets
    assert heard.data == "still here"
    assert len(vars(socket)) < SHARED_AT_MOST - 5
    await ws.close()


async def test_a_peer_that_answers_no_ping_is_let_go_though_its_line_says_nothing(
    aiohttp_client: AiohttpClient,
) -> None:
    waiting = Waiting(heartbeat=0.05)
    client = await aiohttp_client(waiting.app())
    ws = await client.ws_connect("/", autoping=False)
    assert (await ws.receive()).type is WSMsgType.PING
    async with asyncio.timeout(30):
        await waiting.left.wait()
        while (await ws.receive()).type is WSMsgType.PING:
            pass
    assert ws.closed


async def test_a_connection_that_was_upgraded_keeps_nothing_that_reads_requests(
    aiohttp_client: AiohttpClient,
) -> None:
    waiting = Waiting()
    client = await aiohttp_client(waiting.app())
    async with client.get("/before") as answer:
        assert await answer.text() == "before"
    ws = await client.ws_connect("/")
    await ws.send_str("a")
    assert await ws.receive_str() == "a"
    ((request, _),) = waiting.sockets
    protocol: Any = request.protocol
    assert protocol._parser is None
    assert protocol._messages.maxlen == 0
    await ws.close()
    assert ws.close_code == 1000


async def test_a_client_that_vanishes_and_one_that_is_sent_off_both_end_in_order(
    aiohttp_client: AiohttpClient,
) -> None:
    waiting = Waiting()
    client = await aiohttp_client(waiting.app())
    async with ClientSession() as other:
        await other.ws_connect(client.make_url("/"))
    ws = await client.ws_connect("/")
    (_, lean) = waiting.sockets[-1]
    await lean.hang_up(1012, b"Restarting.")
    assert (await ws.receive()).extra == "Restarting."
    assert ws.close_code == 1012


async def test_no_ping_is_due_once_a_socket_is_over_whatever_its_peer_still_said(
    aiohttp_client: AiohttpClient,
) -> None:
    """The peer's answer to a close frame counts as a sign of life."""
    waiting = Waiting()
    client = await aiohttp_client(waiting.app())
    ws = await client.ws_connect("/")
    await ws.send_str("a")
    assert await ws.receive_str() == "a"
    ((_, lean),) = waiting.sockets
    closing = asyncio.create_task(lean.hang_up(1012, b"Restarting."))
    assert (await ws.receive()).extra == "Restarting."
    await closing
    await waiting.left.wait()
    await eventually(lambda: lean._req is None)
    assert (lean._heartbeat_cb, lean._heartbeat_reset_handle) == (None, None)


def test_a_request_that_waits_is_kept_and_so_is_what_another_aiohttp_names_otherwise() -> None:
    request: Any = make_mocked_request("GET", "/")
    request._protocol = SimpleNamespace(_messages=deque(["a request"]))
    shed(cast(web.Request, request))
    assert request.protocol._messages == deque(["a request"])
    request._protocol = object()
    shed(cast(web.Request, request))
