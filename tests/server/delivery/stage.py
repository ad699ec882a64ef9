"""A session to watch without an agent: a clock moved by hand, a list for a store, transports."""

import asyncio
import heapq
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from msgspec import Struct

from server.delivery.broadcast import Broadcaster
from server.delivery.limits import DeliveryLimits
from server.delivery.pages import Pages
from server.delivery.replay import Wish
from server.delivery.viewer import Viewer
from server.wire import Answer, Context, Outgoing, Session, Spent, Status, numbered

IDLE = Status("idle", (), False, Context(0, 100), 0)
SESSION = Session("s1", "T", "dev", "demo", "idle", "c", "a", 0, 0, 0, Spent(0, 0, None), None)


async def quiet() -> None:
    """Let everything that is ready run."""
    for _ in range(60):
        await asyncio.sleep(0)


class _Call:
    def __init__(self, callback: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self.callback, self.arguments, self.cancelled = callback, arguments, False

    def cancel(self) -> None:
        self.cancelled = True


class HandClock:
    """Time stands still until it is moved."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._order = count()
        self._calls: list[tuple[float, int, _Call]] = []

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., object], /, *args: Any) -> asyncio.Handle:
        return asyncio.get_running_loop().call_soon(callback, *args)

    def call_at(self, when: float, callback: Callable[..., object], /, *args: Any) -> _Call:
        call = _Call(callback, args)
        heapq.heappush(self._calls, (when, next(self._order), call))
        return call

    @property
    def waiting(self) -> int:
        """How many calls are still put off."""
        return sum(not call.cancelled for _, _, call in self._calls)

    def move(self, seconds: float) -> None:
        """What is due is called, and nothing that it puts off."""
        self._now += seconds
        while self._calls and self._calls[0][0] <= self._now:
            _, _, call = heapq.heappop(self._calls)
            if not call.cancelled:
                call.callback(*call.arguments)

    async def pass_by(self, seconds: float) -> None:
        end = self._now + seconds
        while self._calls and self._calls[0][0] <= end:
            when, _, call = heapq.heappop(self._calls)
            self._now = max(self._now, when)
            if not call.cancelled:
                call.callback(*call.arguments)
                await quiet()
        self._now = end
        await quiet()


class Transport:
    """A transport whose peer may stop reading."""

    def __init__(self) -> None:
        self.reading = True
        self.aborted = False
        self.closing = False
        self.writes = 0
        self.written = b""
        self.wrote = asyncio.Event()
        """Set by every write; who waits for the next one clears it."""
        self._pending = 0

    def offer(self, data: bytes, gate: int, /) -> bool:
        if self.closing or self._pending >= gate:
            return False
        self.write(data)
        return True

    def write(self, data: bytes, /) -> None:
        assert not self.closing, "written to a closed transport"
        self.writes += 1
        self.written += data
        self.wrote.set()
        if not self.reading:
            self._pending += len(data)

    def take(self, size: int | None = None) -> None:
        """The peer reads `size` bytes, or everything."""
        self._pending = 0 if size is None else max(0, self._pending - size)

    def get_write_buffer_size(self) -> int:
        return self._pending

    async def drained(self) -> None:
        """It cannot tell."""

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.aborted = self.closing = True

    @property
    def frames(self) -> list[dict[str, Any]]:
        return list(decoded(self.written))

    @property
    def seen(self) -> list[Any]:
        """Each frame as one word: an event's seq, a delta's text, else the type."""
        return [brief(frame) for frame in self.frames]


def decoded(data: bytes) -> Iterator[dict[str, Any]]:
    """The frames in what was written, by the plain reading of RFC 6455."""
    at = 0
    while at < len(data):
        assert data[at] == 0x81
        size, header = data[at + 1], 2
        if size == 126:
            size, header = int.from_bytes(data[at + 2 : at + 4]), 4
        elif size == 127:
            size, header = int.from_bytes(data[at + 2 : at + 10]), 10
        yield json.loads(data[at + header : at + header + size])
        at += header + size


def brief(frame: dict[str, Any]) -> Any:
    if frame["type"] in ("synced", "accepted"):
        return frame["type"]
    return frame.get("seq") or frame.get("text") or frame["type"]


class ListPage(Struct, frozen=True):
    first: int
    bodies: tuple[bytes, ...]
    oldest: int


class ListReader:
    """A store that is a list; `hold` makes reads wait, `failure` makes them fail."""

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.reads = 0
        self.oldest = 1
        self.failure: Exception | None = None
        self.ready = asyncio.Event()
        self.ready.set()

    async def events_after(
        self, session: str, after: int, *, limit: int, max_bytes: int
    ) -> ListPage:
        await self._read()
        return ListPage(after + 1, _fitting(self.log[after:], limit, max_bytes), self.oldest)

    async def events_before(
        self, session: str, before: int, *, limit: int, max_bytes: int
    ) -> ListPage:
        await self._read()
        held = self.log[: before - 1]
        bodies = _fitting(held[::-1], limit, max_bytes)[::-1]
        return ListPage(len(held) + 1 - len(bodies), bodies, self.oldest)

    async def _read(self) -> None:
        self.reads += 1
        await self.ready.wait()
        if self.failure is not None:
            raise self.failure


def _fitting(log: list[bytes], limit: int, max_bytes: int) -> tuple[bytes, ...]:
    bodies: list[bytes] = []
    for body in log[:limit]:
        max_bytes -= len(body)
        if bodies and max_bytes < 0:
            break
        bodies.append(body)
    return tuple(bodies)


class Watched:
    """One connection and what became of it."""

    def __init__(
        self, transport: Transport, viewer: Viewer, closed: list[tuple[int, bytes]]
    ) -> None:
        self.transport = transport
        self.viewer = viewer
        self.closed = closed
        """Code and reason of the close frame, once there is one."""
        self.said: asyncio.Queue[Answer | None] = asyncio.Queue()
        """What the client says: the answer it wants, or None to leave."""

    async def handle(self) -> None:
        async with self.viewer as viewer:
            while (answer := await viewer.next(self.said.get)) is not None:
                viewer.answer(answer)

    @property
    def seen(self) -> list[Any]:
        return self.transport.seen

    def since_synced(self) -> list[Any]:
        seen = self.seen
        return seen[seen.index("synced") + 1 :]


class Stage:
    """A broadcaster with its clock and its store."""

    def __init__(self, stored: int = 0, **limits: Any) -> None:
        self.clock = HandClock()
        self.reader = ListReader()
        self.counts: list[int] = []
        for _ in range(stored):
            self.store()
        self.broadcaster = Broadcaster(
            "s1",
            head=stored,
            log="L",
            status=IDLE,
            describe=lambda: SESSION,
            pages=Pages(self.reader),
            timestamp=lambda: "now",
            clock=self.clock,
            limits=DeliveryLimits(**limits),
            on_viewers=self.counts.append,
        )

    def store(self, kind: str = "notice", padding: int = 0) -> bytes:
        """Append to the store's log, unseen by viewers."""
        seq = len(self.reader.log) + 1
        body = numbered(seq, "now", b'{"type":"%s","code":"%s"}' % (kind.encode(), b"x" * padding))
        self.reader.log.append(body)
        return body

    def publish(self, closes: str | None = None, ends: str | None = None, padding: int = 0) -> None:
        body = self.store(padding=padding)
        self.broadcaster.publish(len(self.reader.log), [Outgoing(body, closes, ends)])

    @asynccontextmanager
    async def joined(
        self, transport: Transport | None = None, **wish: Any
    ) -> AsyncIterator[Watched]:
        transport = transport or Transport()
        closed: list[tuple[int, bytes]] = []

        async def hang_up(code: int, reason: bytes) -> None:
            closed.append((code, reason))

        viewer = self.broadcaster.join(transport, hang_up, Wish(**wish))
        watched = Watched(transport, viewer, closed)
        handler = asyncio.create_task(watched.handle())
        await quiet()
        try:
            yield watched
        finally:
            watched.said.put_nowait(None)
            await handler

    async def frame_time(self) -> None:
        """What is due within one flush."""
        await quiet()
        await self.clock.pass_by(0.016)
