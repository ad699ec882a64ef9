"""A viewer's end of an upgraded connection: its transport, and the straight way to its socket."""

import asyncio
import socket
from os import write as _write

from aiohttp import web


class SocketOutlet:
    """Writes to the socket itself while the transport has nothing to send before.

    asyncio's own write costs half as much again as the system call in it. The order is kept: what
    the socket does not take goes to the transport, and then all goes there until it has sent that.
    """

    __slots__ = ("_descriptor", "_transport")

    def __init__(self, transport: asyncio.Transport, descriptor: int | None) -> None:
        """`descriptor` is None where bytes are not sent as they are, as with TLS."""
        self._transport = transport
        self._descriptor = descriptor

    def offer(self, data: bytes, gate: int, /) -> bool:
        """Write unless the transport is closing, or holds `gate` bytes; whether it was written."""
        transport = self._transport
        if transport.is_closing():
            return False  # its descriptor may be somebody else's by now
        held = transport.get_write_buffer_size()
        if held or self._descriptor is None:
            if held >= gate:
                return False
            transport.write(data)
            return True
        try:
            sent = _write(self._descriptor, data)
        except OSError:
            sent = 0  # the transport meets the same, and knows what to do
        if sent < len(data):
            transport.write(data[sent:])
        return True

    def write(self, data: bytes, /) -> None:
        self._transport.write(data)

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def abort(self) -> None:
        self._transport.abort()


def outlet_of(request: web.Request, send_buffer: int) -> SocketOutlet:
    """For an upgraded connection: no data frame may be sent on it beside ours.

    `send_buffer` bounds what the kernel holds, in bytes. ConnectionResetError if it is gone.
    """
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("The client went away during the handshake.")
    assert isinstance(transport, asyncio.Transport)
    connection = transport.get_extra_info("socket")
    if connection is None:
        return SocketOutlet(transport, None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    encrypted = transport.get_extra_info("ssl_object") is not None
    return SocketOutlet(transport, None if encrypted else connection.fileno())
