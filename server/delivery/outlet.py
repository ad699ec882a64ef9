"""A viewer's end of an aiohttp WebSocket: the transport that frames are written to."""

import asyncio
import socket

from aiohttp import web


def outlet_of(request: web.Request, send_buffer: int) -> asyncio.Transport:
    """For an upgraded connection: no data frame may be sent on it beside ours.

    `send_buffer` bounds what the kernel holds, in bytes. ConnectionResetError if it is gone.
    """
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("The client went away during the handshake.")
    assert isinstance(transport, asyncio.Transport)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    return transport
