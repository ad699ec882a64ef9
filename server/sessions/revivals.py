"""Sessions whose actor was lost to a failed commit, brought back when the store works again."""

import asyncio
from collections.abc import Awaitable, Callable

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds between two tries; the wait doubles."""


class Revivals:
    """At most one a session. `try_once` says whether nothing is left to do; it raises nothing."""

    def __init__(
        self,
        try_once: Callable[[str], Awaitable[bool]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._try_once = try_once
        self._sleep = sleep
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, session: str) -> None:
        if session not in self._tasks:
            task = self._tasks[session] = asyncio.create_task(self._go_on(session))
            task.add_done_callback(lambda _: self._tasks.pop(session, None))

    async def end(self) -> None:
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _go_on(self, session: str) -> None:
        wait = FIRST_WAIT
        while not await self._try_once(session):
            await self._sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)
