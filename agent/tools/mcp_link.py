"""One shared connection to a server of tools, kept by one task: it opens, watches, opens again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal

from msgspec import Struct

from agent.errors import Problem
from agent.tools.mcp_port import Connect, Offered, Signals, ToolServer
from agent.tools.mcp_settings import Target

log = logging.getLogger(__name__)

State = Literal["asleep", "connecting", "up", "waiting", "down"]


class Patience(Struct, frozen=True):
    """In seconds. `waits` come before the second, third, ... attempt, after which it rests until
    somebody needs it; a connection that held for `steady` makes the next loss a first one."""

    start: float = 20
    idle: float = 600
    waits: tuple[float, ...] = (1, 2, 5, 15, 30, 60)
    steady: float = 120
    between_lists: float = 1


class Time(Struct, frozen=True):
    """`jitter` stretches or shrinks a wait, so that not all come back at once."""

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    jitter: Callable[[], float]


class Link:
    """Asleep until somebody uses it, and again when nobody has for a while.

    `offered` are the tools as they were last heard of, also while it is asleep; None: never.
    `losses` counts connections that ended by themselves, `problem` is why there is none now,
    `tried` says whether a first attempt has come to something.
    """

    def __init__(self, target: Target, connect: Connect, patience: Patience, time: Time) -> None:
        self.offered: tuple[Offered, ...] | None = None
        self.state: State = "asleep"
        self.problem: Problem | None = None
        self.losses = 0
        self.tried = False
        self.last_used = self.last_tried = time.clock()
        self._target = target
        self._connect = connect
        self._patience = patience
        self._time = time
        self._users = 0
        self._server: ToolServer | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._stir = asyncio.Event()
        self._lost = self._changed = False

    @property
    def in_use(self) -> bool:
        return self._users > 0

    @property
    def is_resting(self) -> bool:
        """It has failed too often for another attempt by itself, and that not long ago."""
        pause = max(self._patience.waits, default=0)
        return self.state == "down" and self._time.clock() - self.last_tried < pause

    @property
    def is_open(self) -> bool:
        """A task keeps it, or tries to."""
        return self._task is not None

    def begin(self) -> None:
        """Connect, where that is not going on; does not wait."""
        if self._task is None:
            self._settled.clear()
            self._task = asyncio.create_task(self._keep(), name=f"mcp {self._target.name}")
            self._task.add_done_callback(self._ended)

    async def settled(self) -> None:
        """Returns when an attempt that is going on has come to something."""
        await self._settled.wait()

    @asynccontextmanager
    async def using(self) -> AsyncIterator[ToolServer]:
        """Holds it open inside. Raises Problem where it cannot be had."""
        self._users += 1
        try:
            self.begin()
            await self.settled()
            if self._server is None:
                raise self.problem or _unreachable(self._target.name, "It has ended.")
            yield self._server
        finally:
            self._users -= 1
            self.last_used = self._time.clock()
            self._stir.set()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # -- the task --

    async def _keep(self) -> None:
        waits = self._patience.waits
        failures = 0
        while True:
            began = self._time.clock()
            if await self._stay():
                if self._users:
                    continue  # somebody came while it closed
                return
            if self.problem is not None and self.problem.code == "mcp_login":
                self.offered = None  # until its user has logged in, which begins another link
                self._come_to("down")
                return
            if self._time.clock() - began >= self._patience.steady:
                failures = 0
            if failures == len(waits):
                self._come_to("down")
                return
            self._come_to("waiting")
            await self._time.sleep(waits[failures] * self._time.jitter())
            failures += 1
            self.state = "connecting"
            self._settled.clear()

    async def _stay(self) -> bool:
        """Until it is lost, or was not to be had at all; True: nobody needs it any more."""
        self.state = "connecting"
        self._lost = self._changed = False
        signals = Signals(changed=self._on_change, lost=self._on_loss)
        was_up = idle = False
        try:
            async with (
                asyncio.timeout(self._patience.start) as limit,
                self._connect(self._target, signals) as server,
            ):
                self.offered = await server.tools()
                limit.reschedule(None)
                self._server, self.problem = server, None
                self._come_to("up")
                was_up = True
                idle = await self._watch(server)
                self._server = None
                self._settled.clear()  # who comes while it closes waits for the next
            self.problem = None if idle else _unreachable(self._target.name, "It was lost.")
        except TimeoutError:
            seconds = f"It did not answer within {self._patience.start:g} s."
            self.problem = _unreachable(self._target.name, seconds)
        except Problem as problem:
            self.problem = problem
        finally:
            self._server = None
        if not idle:
            self.losses += was_up
            log.warning("%s", self.problem.message if self.problem else "")
        return idle

    async def _watch(self, server: ToolServer) -> bool:
        """Until it is lost (False) or has been idle for long enough (True)."""
        while not self._lost:
            self._stir.clear()
            if self._changed and not await self._list_again(server):
                break
            try:
                async with asyncio.timeout(self._idle_for()):
                    await self._stir.wait()
            except TimeoutError:
                return True
        return False

    async def _list_again(self, server: ToolServer) -> bool:
        """Not as often as a server may say so; a list that cannot be had is a loss."""
        await self._time.sleep(self._patience.between_lists)
        self._changed = False
        try:
            async with asyncio.timeout(self._patience.start):
                self.offered = await server.tools()
        except (Problem, TimeoutError):
            return False
        return True

    def _idle_for(self) -> float | None:
        if self._users:
            return None
        return max(0.0, self._patience.idle - (self._time.clock() - self.last_used))

    def _come_to(self, state: State) -> None:
        self.state = state
        self.tried = True
        self.last_tried = self._time.clock()
        self._settled.set()

    def _on_change(self) -> None:
        self._changed = True
        self._stir.set()

    def _on_loss(self) -> None:
        self._lost = True
        self._server = None
        self._settled.clear()  # who comes now waits for the next attempt
        self._stir.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """However it ended: whoever waits is told."""
        self._task = None
        if self.state != "down":
            self.state = "asleep"
        self._settled.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.problem = _unreachable(self._target.name, "Its connection failed inside.")
            log.error("the connection to an MCP server failed", exc_info=error)


def _unreachable(name: str, why: str) -> Problem:
    return Problem("mcp_unreachable", f"The MCP server {name} is not there. {why} Try later.")
