"""One viewer's connection: where it stands, the answers that wait for it, and how it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from enum import Enum, auto
from types import TracebackType
from typing import Any, Protocol, TypeVar

from server.delivery.clock import Clock, Handle
from server.delivery.cursor import Cursor, Step
from server.delivery.frames import text_frame
from server.delivery.limits import DeliveryLimits
from server.delivery.replay import Wish
from server.wire import Answer, Bye, Person, encode

UNAVAILABLE = Bye(1012, "The session cannot be read now.", retry_after=1)
TOO_SLOW = Bye(4408, "Too slow: reconnect with the last seq you have as `after`.")
_REASON_BYTES = 123
"""What fits into a close frame beside its code."""


class Outlet(Protocol):
    """A connection's transport."""

    def offer(self, data: bytes, gate: int, /) -> bool:
        """Write unless it is closing, or holds `gate` bytes; whether it was written."""
        ...

    def write(self, data: bytes, /) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    async def drained(self) -> None:
        """Return when it has sent most of what it held, or is gone; at once if it cannot tell."""
        ...

    def is_closing(self) -> bool: ...
    def abort(self) -> None: ...


Message = TypeVar("Message")
Hangup = Callable[[int, bytes], Awaitable[object]]
"""Send a close frame with code and reason, and see the connection closed."""


class Host(Protocol):
    """Who looks after viewers."""

    def attach(self, viewer: "Viewer") -> None: ...
    def detach(self, viewer: "Viewer") -> None: ...
    def watch(self, viewer: "Viewer") -> None: ...
    def lost(self, viewer: "Viewer") -> None: ...


class Progress(Enum):
    """How far a viewer was served."""

    DONE = auto()
    GATED = auto()
    LOST = auto()
    """The ring no longer has what it lacks."""
    CLOSED = auto()


class Viewer:
    """Entered (`async with`) by the connection's handler, which takes the client's `next` in it.

    `person` is who it is, where that is known.
    """

    __slots__ = (
        "_abort", "_bye", "_clock", "_failure", "_hangup", "_host", "_left", "_level", "_limits",
        "_outbox", "_outbox_bytes", "_reading", "_since", "_task", "_waiters", "cursor", "deflated",
        "leaving", "live", "outlet", "person", "smooth", "wish",
    )  # fmt: skip

    def __init__(
        self,
        outlet: Outlet,
        hangup: Hangup,
        wish: Wish,
        host: Host,
        limits: DeliveryLimits,
        clock: Clock,
    ) -> None:
        self.outlet = outlet
        self.wish, self.deflated = wish, wish.deflated
        self.person: Person | None = None
        self.cursor: Cursor | None = None
        """None until `synced`."""
        self.live = False
        """Whether the flusher serves it; it may also be on its way there in a task of its own."""
        self.smooth = False
        """Whether the flusher has nothing to do for it but to write what is new.

        Found out when it has been served, and over with whatever else there is to do for it.
        """
        self.leaving: tuple[Bye, float] | None = None
        """What it is told, with the patience of `part`, when it is served and has everything."""
        self._hangup = hangup
        self._host = host
        self._limits = limits
        self._clock = clock
        self._outbox: list[bytes] = []
        self._outbox_bytes = 0
        self._level = 0
        self._since: float | None = None
        """When the gated transport was last seen to fall to `_level`."""
        self._waiters: list[asyncio.Future[None]] = []
        self._reading: asyncio.Timeout | None = None
        """What the handler reads in; it never expires by itself."""
        self._task: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._bye: Bye | None = None
        self._abort: Handle | None = None
        self._left = False

    async def __aenter__(self) -> "Viewer":
        self._host.attach(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._host.detach(self)
        try:
            if (task := self._task) is not None:
                task.cancel()
                await asyncio.wait({task})
            if self._bye is not None:
                await self._hang_up(self._bye)
        finally:
            self._left = True
            self._wake()
        if self._failure is not None:
            raise self._failure

    # ---- for the connection's handler ----------------------------------------------------------

    async def next(self, receive: Callable[[], Awaitable[Message]]) -> Message | None:
        """What the client says next, read when an answer to it fits; None when it is to go."""
        while self._outbox_bytes >= self._limits.outbox and not self._over:
            await self._wait()
        if self._over:
            return None
        try:
            async with asyncio.timeout(None) as self._reading:
                return await receive()
        except TimeoutError:
            if self._bye is None:
                raise
            return None
        finally:
            self._reading = None

    def answer(self, answer: Answer) -> None:
        """Send to this client alone, in the order of calls; before `synced` it waits."""
        if self._over:
            return
        frame = text_frame(encode(answer))
        if self.cursor is not None and not self._outbox and not self.blocked:
            self.outlet.write(frame)
            return
        self._outbox.append(frame)
        self._outbox_bytes += len(frame)
        self.smooth = False
        if self.cursor is not None:
            self._host.watch(self)

    def part(self, bye: Bye, within: float | None = None) -> None:
        """Say why, and let the handler close; cut the connection if that takes `within` seconds."""
        if self._bye is not None:
            return
        self._bye = bye
        self._host.detach(self)
        if self._task is not None:
            self._task.cancel()
        answers = self._take() if self.cursor is not None else b""
        self.write(answers + text_frame(encode(bye)))
        patience = self._limits.parting if within is None else within
        self._abort = self._clock.call_at(self._clock.time() + patience, self._cut)
        if self._reading is not None:
            self._reading.reschedule(asyncio.get_running_loop().time())
        self._wake()

    # ---- for those who serve it ----------------------------------------------------------------

    @property
    def blocked(self) -> bool:
        """Whether its transport takes nothing more for now."""
        outlet = self.outlet
        return outlet.is_closing() or outlet.get_write_buffer_size() >= self._limits.gate

    async def gone(self) -> None:
        """Wait until its handler is done with it, or it was cut off."""
        while not self._left:
            await self._wait()

    def write(self, data: bytes) -> None:
        if not self.outlet.is_closing():
            self.outlet.write(data)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it catch up in a task of its own, which ends with the connection at the latest."""
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._caught_up)

    def lost(self) -> None:
        """The ring no longer has what it lacks; it is not served until it was enlisted again."""
        self._host.lost(self)

    async def drained(self) -> None:
        """Wait until the transport takes more; for ever when it is closed.

        The transport itself says so: who reads fast would else wait for the next look at it.
        """
        while self.blocked:
            self._host.watch(self)
            await self.outlet.drained()
            if self.blocked:
                await self._wait()

    def pump(self, step_from: Callable[[Cursor], Step | None]) -> Progress:
        """Write what the viewer lacks, as far as its transport takes it."""
        outlet, gate = self.outlet, self._limits.gate
        while True:
            if outlet.is_closing():
                self._wake()
                return Progress.CLOSED
            if outlet.get_write_buffer_size() >= gate:
                return Progress.GATED
            if self._since is not None or self._outbox or self._waiters:
                self._resume()
            if not self.live or (cursor := self.cursor) is None:
                return Progress.DONE
            if (step := step_from(cursor)) is None:
                return Progress.LOST
            if step.data:
                outlet.write(step.deflated if self.deflated else step.data)
            self.cursor = step.cursor
            if step.done:
                self.smooth = self.leaving is None
                return Progress.DONE

    def stalled(self, now: float) -> bool:
        """Whether it has taken nearly nothing for too long; asked while it is gated."""
        level = self.outlet.get_write_buffer_size()
        if self._since is None or level <= self._level - self._limits.trickle:
            self._level, self._since, self.smooth = level, now, False
        return now - self._since >= self._limits.stalled

    # ---- inside --------------------------------------------------------------------------------

    @property
    def _over(self) -> bool:
        return self._bye is not None or self.outlet.is_closing()

    def _resume(self) -> None:
        self._since = None
        if self.cursor is not None and self._outbox:
            self.outlet.write(self._take())
        self._wake()

    def _take(self) -> bytes:
        answers = b"".join(self._outbox)
        self._outbox.clear()
        self._outbox_bytes = 0
        return answers

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self.smooth = False
        await waiter

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def _caught_up(self, task: asyncio.Task[None]) -> None:
        if self._task is task:  # it may have ended by beginning another one
            self._task = None
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failure = failure
            self.part(UNAVAILABLE)

    def _cut(self) -> None:
        self._abort = None
        self.outlet.abort()
        self._left = True
        self._wake()

    async def _hang_up(self, bye: Bye) -> None:
        reason = bye.reason.encode()[:_REASON_BYTES].decode(errors="ignore").encode()
        await self._hangup(bye.code, reason)
        if self._abort is not None and not self.outlet.get_write_buffer_size():
            self._abort.cancel()
