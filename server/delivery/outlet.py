"""A viewer's end of an aiohttp WebSocket: its transport to write to, its own way to close."""

import asyncio
import socket

from aiohttp import web

from server.delivery.viewer import Hangup


def outlet_of(
    request: web.Request, ws: web.WebSocketResponse, send_buffer: int
) -> tuple[asyncio.Transport, Hangup]:
    """For a prepared, uncompressed `ws`: no data frame may be sent through it beside ours.

    `send_buffer` bounds what the kernel holds, in bytes. ConnectionResetError if it is gone.
    """
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("The client went away during the handshake.")
    assert isinstance(transport, asyncio.Transport)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)

    async def hang_up(code: int, reason: bytes) -> None:
        await ws.close(code=code, message=reason)

    return transport, hang_up
