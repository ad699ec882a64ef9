"""A viewer's end of an upgraded connection: its transport, and the straight way to its socket."""

import asyncio
import socket
from contextlib import suppress
from os import write as _write

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from server.delivery.limits import DeliveryLimits


class SocketOutlet:
    """Writes to the socket itself while the transport has nothing to send before.

    asyncio's own write costs half as much again as the system call in it. The order is kept: what
    the socket does not take goes to the transport, and then all goes there until it has sent that.
    """

    __slots__ = ("_descriptor", "_transport", "_writer")

    def __init__(
        self,
        transport: asyncio.Transport,
        descriptor: int | None,
        writer: AbstractStreamWriter,
    ) -> None:
        """`descriptor` is None where bytes are not sent as they are, as with TLS; `writer` knows
        when the transport has sent most of what it was given."""
        self._transport = transport
        self._descriptor = descriptor
        self._writer = writer

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

    async def drained(self) -> None:
        """Return when the transport has sent most of what it held, or is gone."""
        with suppress(ConnectionError):
            # aiohttp has one future for all who wait: one that is cancelled would cancel the others
            await asyncio.shield(self._writer.drain())

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def abort(self) -> None:
        self._transport.abort()


def outlet_of(request: web.Request, limits: DeliveryLimits) -> SocketOutlet:
    """For an upgraded connection: no data frame may be sent on it beside ours.

    What the kernel holds is bounded. ConnectionResetError if the connection is gone.
    """
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("The client went away during the handshake.")
    assert isinstance(transport, asyncio.Transport)
    # asyncio says "full" above its limit, delivery from the gate on
    transport.set_write_buffer_limits(high=limits.gate - 1, low=limits.gate // 4)
    connection = transport.get_extra_info("socket")
    if connection is None:
        return SocketOutlet(transport, None, request.writer)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer)
    encrypted = transport.get_extra_info("ssl_object") is not None
    return SocketOutlet(transport, None if encrypted else connection.fileno(), request.writer)
