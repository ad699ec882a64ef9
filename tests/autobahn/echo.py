"""A server that says again what it hears: through our frames, or through aiohttp alone."""

from collections.abc import Awaitable, Callable
from typing import Self

from aiohttp import WSMsgType, web

from server.delivery.deflate import DeflatedSocket
from server.delivery.frames import framed
from server.delivery.limits import DeliveryLimits
from server.delivery.outlet import outlet_of

LARGEST = 32 * 1024 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def ours(request: web.Request) -> web.StreamResponse:
    """Text goes out as the house writes it: framed, and deflated where that was agreed."""
    ws = DeflatedSocket(max_msg_size=LARGEST, compress=False)
    await ws.prepare(request)
    outlet = outlet_of(request, DeliveryLimits(send_buffer=LARGEST))
    async for message in ws:
        if message.type is WSMsgType.TEXT:
            frame = framed(message.data.encode())
            outlet.write(frame.deflated if ws.deflates else frame.plain)
        elif message.type is WSMsgType.BINARY:  # which the house never sends
            await ws.send_bytes(message.data)
    return ws


async def aiohttps_own(request: web.Request) -> web.StreamResponse:
    ws = web.WebSocketResponse(max_msg_size=LARGEST)
    await ws.prepare(request)
    async for message in ws:
        if message.type is WSMsgType.TEXT:
            await ws.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await ws.send_bytes(message.data)
    return ws


class Echo:
    """`async with Echo(handler) as echo:` serves on a free loopback port."""

    def __init__(self, handler: Handler) -> None:
        app = web.Application()
        app.router.add_get("/", handler)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._runner.addresses[0][1]}/"
