"""Where a joining viewer begins, and the events it missed: from the ring, else from the store."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from agent.errors import Problem
from server.delivery.frames import text_frame
from server.delivery.limits import DeliveryLimits
from server.delivery.ring import Ring


class Page(Protocol):
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
    ) -> Page: ...

    async def events_before(
        self, session: str, before: int, *, limit: int, max_bytes: int
    ) -> Page: ...


class Wish(Struct, frozen=True):
    """What a client asks for: events after `after` of the log generation `log`, and deltas."""

    after: int = 0
    log: str | None = None
    deltas: bool = True


class Start(Struct, frozen=True):
    """What `hello` says of the replay; `first` numbers the first event that would follow."""

    mode: Literal["replay", "tail"]
    first: int
    reason: Literal["unknown_position"] | msgspec.UnsetType = msgspec.UNSET


class LogCut(Problem):
    """The store lacks events that were shown."""

    def __init__(self, seq: int) -> None:
        super().__init__("unavailable", f"The log cannot be read after event {seq}.")


class _Kind(Struct, frozen=True):
    type: str
    steered: bool = False


_kind = msgspec.json.Decoder(_Kind).decode


class Replay:
    """A session's log up to its published head."""

    def __init__(
        self, session: str, generation: str, ring: Ring, reader: Reader, limits: DeliveryLimits
    ) -> None:
        self._session = session
        self.generation = generation
        self._ring = ring
        self._reader = reader
        self._limits = limits

    async def start(self, wish: Wish) -> Start:
        """Every missing event where that is within the limits and of this log, else a tail."""
        if wish.after > self._ring.head:
            return Start("tail", await self._tail(), "unknown_position")
        known = wish.after == 0 or wish.log in (None, self.generation)
        if known and await self._fits(wish.after):
            return Start("replay", wish.after + 1)
        return Start("tail", await self._tail())

    async def page(self, seq: int) -> Sequence[bytes]:
        """Frames after `seq`, which is below the head; all that the ring has, or a page."""
        if (frames := self._ring.since(seq)) is not None:
            return frames
        page = await self._after(seq)
        # The store may be ahead of what was published.
        return [text_frame(body) for body in page.bodies[: self._ring.head - seq]]

    async def _after(self, seq: int) -> Page:
        page = await self._reader.events_after(
            self._session, seq, limit=self._limits.page_events, max_bytes=self._limits.page
        )
        if not page.bodies or page.first != seq + 1:
            raise LogCut(seq)
        return page

    async def _fits(self, after: int) -> bool:
        """Whether what follows `after` is within the limits: measured, and not kept."""
        if self._ring.head - after > self._limits.replay_events:
            return False
        size = 0
        while (frames := self._ring.since(after)) is None:
            page = await self._after(after)
            size += sum(map(len, page.bodies))
            if size > self._limits.replay:
                return False
            after = min(after + len(page.bodies), self._ring.head)
        return size + sum(map(len, frames)) <= self._limits.replay

    async def _tail(self) -> int:
        """Where the longest suffix within the limits begins, at a turn's first event if it can.

        The newest event is in it whatever its size.
        """
        head = self._ring.head
        first, turn, size = head + 1, None, 0
        while first > 1:
            page = await self._reader.events_before(
                self._session, first, limit=self._limits.page_events, max_bytes=self._limits.page
            )
            if not page.bodies:
                raise LogCut(first - 1)
            for body in reversed(page.bodies):
                size += len(body)
                many = head + 1 - first >= self._limits.replay_events
                if first <= head and (many or size > self._limits.replay):
                    return turn or first
                first -= 1
                if _begins_a_turn(body):
                    turn = first
            if first <= page.oldest:
                break
        return first


def _begins_a_turn(body: bytes) -> bool:
    kind = _kind(body)
    return kind.type == "user_message" and not kind.steered
