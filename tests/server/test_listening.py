"""Who connects in a crowd waits in the kernel, and is let in."""

import asyncio
import socket

from aiohttp import ClientSession, web

from server.config import Pace
from server.delivery.lean import LeanSocket
from server.listening import LET_IN, Site
from server.proxies import Proxies
from server.sessions.quotas import Addresses

CROWD = 10 * LET_IN
ASKED = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def test_a_crowd_waits_in_the_kernel_and_is_let_in_a_few_at_a_time() -> None:
    here = most = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal here
        here += 1
        return web.Response()

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    crowd: list[socket.socket] = []
    try:
        door = Addresses(CROWD, Proxies(()))
        await Site(runner, "127.0.0.1", 0, door, Pace()).start()
        host, port = runner.addresses[0][:2]
        for _ in range(CROWD):  # nobody is accepted meanwhile: the loop stands still
            peer = socket.create_connection((host, port), timeout=60)
            peer.sendall(ASKED)
            crowd.append(peer)
        while here < CROWD:
            before = here
            await asyncio.sleep(0)
            most = max(most, here - before)
        assert 0 < most <= LET_IN
        for peer in crowd:
            assert peer.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        for peer in crowd:
            peer.close()
        await runner.cleanup()


async def test_pings_of_many_viewers_do_not_meet_at_a_whole_second() -> None:
    pings: list[float] = []

    async def upgraded(request: web.Request) -> web.WebSocketResponse:
        ws = LeanSocket(heartbeat=30.0)
        await ws.prepare(request)
        pings.append(ws._heartbeat_when)  # only the loop knows it beside
        return ws

    app = web.Application()
    app.router.add_get("/", upgraded)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        door = Addresses(CROWD, Proxies(()))
        await Site(runner, "127.0.0.1", 0, door, Pace()).start()
        host, port = runner.addresses[0][:2]
        async with ClientSession() as http:
            for _ in range(3):
                async with http.ws_connect(f"http://{host}:{port}/") as ws:
                    await ws.receive()
    finally:
        await runner.cleanup()
    assert len(pings) == 3
    assert all(when != int(when) for when in pings)
