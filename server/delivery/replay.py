"""Where a joining viewer begins, and the events it missed: from the ring, else from the store."""

import asyncio
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from server.delivery.frames import Frame
from server.delivery.limits import DeliveryLimits
from server.delivery.pages import LogCut, Pages
from server.delivery.ring import Ring


class Wish(Struct, frozen=True):
    """What a client asks for: events after `after` of the log generation `log`, and deltas.

    `most` is how many events it wants to be sent at most; `deflated`, whether it agreed to be sent
    deflated frames.
    """

    after: int = 0
    log: str | None = None
    most: int | None = None
    deltas: bool = True
    deflated: bool = False


class Start(Struct, frozen=True):
    """What `hello` says of the replay; `first` numbers the first event that would follow."""

    mode: Literal["replay", "tail"]
    first: int
    reason: Literal["unknown_position"] | msgspec.UnsetType = msgspec.UNSET


class _Kind(Struct, frozen=True):
    type: str
    steered: bool = False


_kind = msgspec.json.Decoder(_Kind).decode


class Replay:
    """A session's log up to its published head."""

    def __init__(
        self, session: str, generation: str, ring: Ring, pages: Pages, limits: DeliveryLimits
    ) -> None:
        self._session = session
        self.generation = generation
        self._ring = ring
        self._pages = pages
        self._limits = limits
        self._stored = ring.head
        """The last event that was there before: until the ring is full it ends what is read."""
        self._reading = asyncio.Lock()
        """Who waits for it finds what was read meanwhile."""
        self._tail_at = (-1, -1, 0)

    async def start(self, wish: Wish) -> Start:
        """Every missing event where that is within the limits and of this log, else a tail."""
        most = min(wish.most or self._limits.replay_events, self._limits.replay_events)
        if wish.after > self._ring.head:
            return Start("tail", await self._tail(most), "unknown_position")
        known = wish.after == 0 or wish.log in (None, self.generation)
        if known and await self._fits(wish.after, most):
            return Start("replay", wish.after + 1)
        return Start("tail", await self._tail(most))

    async def page(self, seq: int) -> Sequence[Frame]:
        """Frames after `seq`, which is below the head; all that the ring has, or a page."""
        if (frames := self._known(seq)) is not None:
            return frames
        async with self._reading:
            if (frames := self._known(seq)) is not None:
                return frames
            # The store may be ahead of what was published; what the ring has is not asked of it.
            until = self._ring.oldest - 1
            return await self._pages.read(
                self._session,
                seq,
                until,
                last_first=until == self._stored,
                limit=self._limits.page_events,
                max_bytes=self._limits.page,
            )

    def _known(self, seq: int) -> Sequence[Frame] | None:
        if (frames := self._ring.since(seq)) is not None:
            return frames
        return self._pages.since(self._session, seq, self._ring.oldest - 1)

    async def _fits(self, after: int, most: int) -> bool:
        """Whether what follows `after` is within the limits: measured, and not kept."""
        if self._ring.head - after > most:
            return False
        size = 0
        while (frames := self._ring.since(after)) is None:
            page = await self.page(after)
            size += _sum(page)
            if size > self._limits.replay:
                return False
            after += len(page)
        return size + _sum(frames) <= self._limits.replay

    async def _tail(self, most: int) -> int:
        """Looked for once, until something new is published or another length is asked for."""
        async with self._reading:
            if self._tail_at[:2] != (self._ring.head, most):
                self._tail_at = self._ring.head, most, await self._look_for_tail(most)
            return self._tail_at[2]

    async def _look_for_tail(self, most: int) -> int:
        """Where the longest suffix within the limits begins, at a turn's first event if it can.

        Else at a reply's: no output in it is then of a call that is not. The newest event is in it
        whatever its size.
        """
        head = self._ring.head
        first, size = head + 1, 0
        turn = reply = None
        while first > 1:
            page = await self._pages.reader.events_before(
                self._session,
                first,
                limit=min(most + 1, self._limits.page_events),
                max_bytes=self._limits.page,
            )
            if not page.bodies:
                raise LogCut(first - 1)
            for body in reversed(page.bodies):
                size += len(body)
                many = head + 1 - first >= most
                if first <= head and (many or size > self._limits.replay):
                    return turn or reply or first
                first -= 1
                kind = _kind(body)
                if kind.type == "user_message" and not kind.steered:
                    turn = first
                elif kind.type == "assistant_message":
                    reply = first
            if first <= page.oldest:
                break
        return first


def _sum(frames: Sequence[Frame]) -> int:
    return sum(len(frame.plain) for frame in frames)
