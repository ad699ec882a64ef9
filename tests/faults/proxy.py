"""A TCP proxy whose lines break as a test says: cut at a byte, stalled, half-open, delayed."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

CHUNK = 16 * 1024
SMALL = 8 * 1024
"""The kernel's share of a stalled connection, lest it hide that nobody reads."""
RESET = struct.pack("ii", 1, 0)


class Way:
    """One direction. `cut` is the number of bytes that pass before the connection is lost.

    What is read at once is late by `delay` and what `jitter` adds; nothing overtakes.
    Clear `flows` and nothing is taken any more; with `swallows` it is taken and goes nowhere.
    """

    def __init__(
        self,
        cut: int | None = None,
        *,
        delay: float = 0.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.cut = cut
        self.delay = delay
        self.jitter = jitter
        self.flows = asyncio.Event()
        self.flows.set()
        self.swallows = False
        self.passed = 0

    @property
    def left(self) -> int:
        return CHUNK if self.cut is None else self.cut - self.passed

    @property
    def was_cut(self) -> bool:
        return self.left <= 0

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Until the source ends, or the bytes are through that may pass."""
        while not self.was_cut:
            await self.flows.wait()
            data = await source.read(min(CHUNK, self.left))
            if not data:
                return
            if later := self.delay + (self.jitter() if self.jitter else 0.0):
                await asyncio.sleep(later)
            await self.flows.wait()
            self.passed += len(data)
            if not self.swallows:
                sink.write(data)
                await sink.drain()


class Line:
    """One connection through the proxy: `up` is towards the server; set `severed` to lose it."""

    def __init__(self, up: Way | None = None, down: Way | None = None) -> None:
        self.up = up or Way()
        self.down = down or Way()
        self.severed = asyncio.Event()


class Proxy:
    """`async with Proxy(server_url) as proxy`: connect to `proxy.url` instead.

    `lay` makes the line of each connection that comes; `newest` is the last one.
    """

    def __init__(self, target: str, lay: Callable[[], Line] = Line) -> None:
        host, port = target.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self.lay = lay
        self.newest = Line()
        self.url = ""
        self._open: dict[asyncio.Task[None], Line] = {}
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=CHUNK)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for line in self._open.values():
            line.severed.set()
        await asyncio.gather(*self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.newest = self._open[task] = line = self.lay()
        try:
            there_reader, there_writer = await self._reach()
        except OSError:  # the server is gone: so is this connection
            _reset(writer)
        else:
            writer.transport.set_write_buffer_limits(0)
            there_writer.transport.set_write_buffer_limits(0)
            await _until_lost(
                line,
                line.up.carry(reader, there_writer),
                line.down.carry(there_reader, writer),
            )
            lost = line.severed.is_set() or line.up.was_cut or line.down.was_cut
            for end in (writer, there_writer):
                _reset(end) if lost else end.close()
        finally:
            del self._open[task]

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        pipe = socket.socket()
        pipe.setblocking(False)
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        try:
            await asyncio.get_running_loop().sock_connect(pipe, self._target)
        except OSError:
            pipe.close()
            raise
        return await asyncio.open_connection(sock=pipe, limit=CHUNK)


async def _until_lost(line: Line, *carrying: Coroutine[Any, Any, None]) -> None:
    """Until either way has ended or the line is severed."""
    ways = [asyncio.ensure_future(way) for way in carrying]
    severed = asyncio.ensure_future(line.severed.wait())
    _ = await asyncio.wait([*ways, severed], return_when=asyncio.FIRST_COMPLETED)
    for task in (*ways, severed):
        task.cancel()
    ended = await asyncio.gather(*ways, severed, return_exceptions=True)
    for result in ended:
        if isinstance(result, BaseException) and not isinstance(
            result, OSError | asyncio.CancelledError
        ):
            raise result


def _reset(writer: asyncio.StreamWriter) -> None:
    """No clean end: what is on its way is lost."""
    pipe = writer.get_extra_info("socket")
    if pipe.fileno() >= 0:
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
