"""Stored events as frames: read once for all viewers of all sessions that ask at the same time."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from agent.errors import Problem
from server.delivery.frames import Frame, framed

MOST_BYTES = 16 * 1024 * 1024
_OVERHEAD = 128
"""What an event takes beside its bytes, about."""


class StoredPage(Protocol):
    """Consecutive stored events, ascending; `first` numbers `bodies[0]`, `oldest` the log's."""

    @property
    def first(self) -> int: ...
    @property
    def bodies(self) -> tuple[bytes, ...]: ...
    @property
    def oldest(self) -> int: ...


class Reader(Protocol):
    """The part of the store that a replay needs."""

    async def events_after(
        self, session: str, after: int, *, limit: int, max_bytes: int
    ) -> StoredPage: ...

    async def events_before(
        self, session: str, before: int, *, limit: int, max_bytes: int
    ) -> StoredPage: ...


class LogCut(Problem):
    """The store lacks events that were shown."""

    def __init__(self, seq: int) -> None:
        super().__init__("unavailable", f"The log cannot be read after event {seq}.")


class _Page(Struct, frozen=True, eq=False):
    first: int
    frames: tuple[Frame, ...]

    @property
    def last(self) -> int:
        return self.first + len(self.frames) - 1


class Pages:
    """The pages that were read lately, within a bound; a log only grows, so they stay true.

    The lock is held by whoever writes a large part of a replay, for one turn of the loop: however
    many viewers come back at once, other work has its turn between two of them.
    """

    def __init__(self, reader: Reader, max_bytes: int = MOST_BYTES) -> None:
        self.reader = reader
        self.one_at_a_time = asyncio.Lock()
        self._max = max_bytes
        self._bytes = 0
        self._read: OrderedDict[tuple[str, int], _Page] = OrderedDict()
        self._firsts: dict[str, list[int]] = {}
        self._used: set[tuple[str, int]] = set()

    def since(self, session: str, seq: int, until: int) -> Sequence[Frame] | None:
        """Frames after `seq`, up to `until` at most; None where their page is not here."""
        for first in self._firsts.get(session, ()):
            page = self._read[session, first]
            if first <= seq + 1 <= page.last:
                self._read.move_to_end((session, first))
                self._used.add((session, first))
                return page.frames[seq + 1 - first : until + 1 - first]
        return None

    async def read(
        self, session: str, seq: int, until: int, *, last_first: bool, limit: int, max_bytes: int
    ) -> Sequence[Frame]:
        """The same, from the store. Raises LogCut.

        `last_first` reads the page that ends with `until`: who comes back is mostly near there.
        """
        if last_first and self.since(session, until - 1, until) is None:
            page = await self.reader.events_before(
                session, until + 1, limit=limit, max_bytes=max_bytes
            )
            self._keep(session, page, until + 1 - len(page.bodies))
        if (frames := self.since(session, seq, until)) is None:
            page = await self.reader.events_after(session, seq, limit=limit, max_bytes=max_bytes)
            frames = self._keep(session, page, seq + 1).frames[: until - seq]
        return frames

    def tidy(self) -> None:
        """Drop what nobody asked for since the last time: who comes back in a crowd comes soon."""
        for session, first in tuple(self._read):
            if (session, first) not in self._used:
                self._drop(session, first)
        self._used.clear()

    def forget(self, session: str) -> None:
        """Of a session that is erased nothing stays here."""
        for first in tuple(self._firsts.get(session, ())):
            self._drop(session, first)

    def _keep(self, session: str, page: StoredPage, first: int) -> _Page:
        if not page.bodies or page.first != first:
            raise LogCut(first - 1)
        kept = _Page(first, tuple(framed(body) for body in page.bodies))
        if (session, first) in self._read:
            self._drop(session, first)
        self._read[session, first] = kept
        self._used.add((session, first))
        self._firsts.setdefault(session, []).append(first)
        self._bytes += _size(kept)
        while self._bytes > self._max and len(self._read) > 1:
            self._drop(*next(iter(self._read)))
        return kept

    def _drop(self, session: str, first: int) -> None:
        self._bytes -= _size(self._read.pop((session, first)))
        self._used.discard((session, first))
        self._firsts[session].remove(first)
        if not self._firsts[session]:
            del self._firsts[session]


def _size(page: _Page) -> int:
    return sum(len(frame.plain) + _OVERHEAD for frame in page.frames)
