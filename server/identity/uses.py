"""When tokens and log-ins were last used: noted with each request, written now and then."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from typing import Protocol

from agent.errors import Problem

log = logging.getLogger(__name__)

TICK = 1.0
PAUSE_SECONDS = 60.0
"""Between two writes of the same token."""
MOST = 10_000
"""Ids that are remembered; when there are more, all are forgotten and written anew."""


class UseStore(Protocol):
    async def used(self, kind: str, uses: dict[str, str]) -> None: ...


class Uses:
    """`kind` is token or login. No request waits for a write, and none fails with one."""

    def __init__(
        self,
        store: UseStore,
        kind: str,
        *,
        timestamp: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._kind = kind
        self._timestamp = timestamp
        self._clock = clock
        self._noted: dict[str, str] = {}
        self._written: dict[str, float] = {}

    def note(self, id: str) -> None:
        if self._clock() - self._written.get(id, -math.inf) >= PAUSE_SECONDS:
            self._noted[id] = self._timestamp()

    async def write(self) -> None:
        """What was noted since it was last written."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        if len(self._written) > MOST:
            self._written.clear()
        self._written |= dict.fromkeys(noted, self._clock())
        await self._store.used(self._kind, noted)

    async def keep(self) -> None:
        """Write, for ever."""
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.write()
            except Problem as problem:
                log.warning(
                    "when %ss were last used is not written: %s", self._kind, problem.message
                )
