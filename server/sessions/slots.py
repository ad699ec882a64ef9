"""Slots for running turns: so many in all, so many a user, and a fair queue for the rest."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Slots:
    """Users who wait are served in turn, whoever of them has more sessions waiting."""

    def __init__(self, *, total: int, per_user: int) -> None:
        self._total = total
        self._per_user = per_user
        self._taken: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def running(self) -> int:
        return self._taken.total()

    @property
    def waiting(self) -> int:
        return sum(len(line) for line in self._waiting.values())

    @asynccontextmanager
    async def slot(self, user: str, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        """Held inside; waits for its turn when there is none free, calling `on_wait` first."""
        if self._free(user):
            self._taken[user] += 1
        else:
            on_wait()
            await self._wait(user)
        try:
            yield
        finally:
            self._give_back(user)

    def _free(self, user: str) -> bool:
        return self.running < self._total and self._taken[user] < self._per_user

    async def _wait(self, user: str) -> None:
        granted = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, deque()).append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._forget(user, granted)
            else:
                self._give_back(user)  # granted in the moment it was stopped
            raise

    def _forget(self, user: str, granted: asyncio.Future[None]) -> None:
        line = self._waiting.get(user)
        if line is not None and granted in line:
            line.remove(granted)
            if not line:
                del self._waiting[user]

    def _give_back(self, user: str) -> None:
        self._taken[user] -= 1
        if not self._taken[user]:
            del self._taken[user]
        self._serve()

    def _serve(self) -> None:
        """Give free slots to who waits, the user first who has waited longest for one."""
        for user in tuple(self._waiting):
            if not self._free(user):
                continue
            line = self._waiting[user]
            granted = line.popleft()
            while granted.done() and line:  # stopped while it waited
                granted = line.popleft()
            self._waiting.move_to_end(user)
            if not line:
                del self._waiting[user]
            if not granted.done():
                self._taken[user] += 1
                granted.set_result(None)
