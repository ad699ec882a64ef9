"""What a session has to show, where a viewer stands in it, and what that viewer lacks."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from server.delivery.frames import Frame, framed, joined
from server.delivery.growing import Growing
from server.delivery.ring import Ring
from server.wire import Outgoing, Status, encode

LAGGING_DELTA = 32_768
"""Code points in one merged delta to a viewer that catches up."""
OPENING_DELTA = 262_144
"""Code points in one delta to a viewer that joins: all of a tool's log, nearly every text."""


class Cursor(Struct, frozen=True, eq=False):
    """Where a viewer stands: the last event, how far into each open text, the last status.

    Viewers that have it all stand on one and the same cursor, so that what they lack next is
    joined once for all. `offsets` is None for those who want no deltas; a text not in it is at 0.
    """

    seq: int
    offsets: Mapping[Growing, int] | None
    status: int


class Step:
    """Frames to write, and where that leads; `done` when nothing is lacking then."""

    __slots__ = ("_deflated", "_frames", "cursor", "data", "done")

    def __init__(self, frames: Sequence[Frame], cursor: Cursor, *, done: bool) -> None:
        self.cursor = cursor
        self.done = done
        self.data = joined(frames, deflated=False)
        self._frames = frames
        self._deflated: bytes | None = None

    @property
    def deflated(self) -> bytes:
        """The same for those who agreed on it; made once for all of them."""
        if self._deflated is None:
            self._deflated = joined(self._frames, deflated=True)
        return self._deflated


class Feed:
    """The newest events, the open texts and the status of one session."""

    def __init__(self, head: int, status: Status, *, ring_bytes: int, closing_chars: int) -> None:
        self.ring = Ring(head, ring_bytes)
        self._open: dict[Growing, None] = {}
        self._closing: dict[int, tuple[Growing, ...]] = {}
        """Texts by the event that closes them, while somebody may lack the end of one."""
        self._closing_chars = 0
        self._most_closing = closing_chars
        self._status = framed(encode(status))
        self._statuses = 1
        self._ends: dict[bool, Cursor] = {}
        self._openings: dict[bool, Sequence[Frame]] = {}
        """What joining viewers are written, for as long as nothing is new."""

    @property
    def head(self) -> int:
        return self.ring.head

    @property
    def closing(self) -> bool:
        """Whether closed texts are kept for those who may lack their ends."""
        return bool(self._closing)

    def publish(self, event: Outgoing) -> None:
        """The next event. What it closes grows no more, and is shown to its end before it."""
        self._changed()
        if event.closes is not None:
            self._close([text for text in self._open if text.item == event.closes])
        self.ring.append(framed(event.body))
        if event.ends is not None:
            for text in [text for text in self._open if text.turn == event.ends]:
                if text.kind != "job_log":
                    self._shut(text)

    @property
    def open_texts(self) -> tuple[Growing, ...]:
        """As far as they have grown."""
        self.settle()
        return tuple(self._open)

    def add(self, text: Growing) -> None:
        """An open text; one that never grew need not be here."""
        self._open[text] = None

    def settle(self) -> None:
        """Take up what the open texts have grown by."""
        for text in self._open:
            if text.fresh and text.settle():
                self._changed()

    def show(self, status: Status) -> None:
        self._changed()
        self._status = framed(encode(status))
        self._statuses += 1

    def forget(self, through: int) -> None:
        """Let go of the texts closed by events that everybody who watches live has."""
        while self._closing and (seq := next(iter(self._closing))) <= through:
            self._drop(seq)

    def joined(self, *, deltas: bool) -> tuple[Sequence[Frame], Cursor]:
        """All open texts from their start, for a viewer that has every event, and where it stands
        then."""
        self.settle()
        if (opening := self._openings.get(deltas)) is None:
            frames: list[Frame] = []
            for text in self._open if deltas else ():
                frames += _rest(text, {}, OPENING_DELTA)
            opening = self._openings[deltas] = tuple(frames)
        return opening, self._end(deltas)

    @property
    def status(self) -> bytes:
        """The frame of the status that is shown."""
        return self._status.plain

    def rejoined(self, cursor: Cursor) -> Cursor:
        """A cursor whose events the ring had lost, once they came from elsewhere.

        What was closed meanwhile was closed by its event alone.
        """
        offsets = cursor.offsets
        if offsets is not None:
            offsets = {text: at for text, at in offsets.items() if text in self._open}
        return Cursor(self.head, offsets, cursor.status)

    def step(self, cursor: Cursor, budget: int) -> Step | None:
        """What is lacking at a cursor, about `budget` bytes of it; None: the ring lost it."""
        missed = self.ring.since(cursor.seq)
        if missed is None:
            return None
        walk = _Walk(cursor)
        frames = []
        for frame in self._ahead(walk, missed):
            frames.append(frame)
            budget -= len(frame.plain)
            if budget <= 0:
                return Step(frames, walk.cursor(), done=False)
        return Step(frames, self._end(cursor.offsets is not None), done=True)

    def _ahead(self, walk: "_Walk", missed: Sequence[Frame]) -> Iterator[Frame]:
        """The frames a viewer lacks, in order; each is behind the walk when it is yielded."""
        for frame in missed:
            closes = self._closing.get(walk.seq + 1, ())
            if walk.offsets is not None:
                for text in closes:
                    yield from _rest(text, walk.offsets, LAGGING_DELTA)
                for text in closes:
                    walk.offsets.pop(text, None)
            walk.seq += 1
            yield frame
        if walk.status != self._statuses:
            walk.status = self._statuses
            yield self._status
        if walk.offsets is not None:
            for text in self._open:
                yield from _rest(text, walk.offsets, LAGGING_DELTA)

    def _changed(self) -> None:
        self._ends.clear()
        self._openings.clear()

    def _end(self, deltas: bool) -> Cursor:
        """Where a viewer stands that has it all."""
        if (end := self._ends.get(deltas)) is None:
            offsets = {text: text.length for text in self._open} if deltas else None
            end = self._ends[deltas] = Cursor(self.head, offsets, self._statuses)
        return end

    def _close(self, texts: Sequence[Growing]) -> None:
        if not texts:
            return
        for text in texts:
            self._shut(text)
            self._closing_chars += text.length - text.floor
        self._closing[self.head + 1] = tuple(texts)
        while self._closing_chars > self._most_closing:
            self._drop(next(iter(self._closing)))

    def _shut(self, text: Growing) -> None:
        text.settle()
        text.closed = True
        del self._open[text]

    def _drop(self, seq: int) -> None:
        for text in self._closing.pop(seq):
            self._closing_chars -= text.length - text.floor


class _Walk:
    """A cursor on its way."""

    __slots__ = ("offsets", "seq", "status")

    def __init__(self, start: Cursor) -> None:
        self.seq = start.seq
        self.offsets = None if start.offsets is None else dict(start.offsets)
        self.status = start.status

    def cursor(self) -> Cursor:
        return Cursor(self.seq, self.offsets, self.status)


def _rest(text: Growing, offsets: dict[Growing, int], at_most: int) -> Iterator[Frame]:
    """The deltas from a viewer's offset to the end; the offset moves with them."""
    while (offset := offsets.get(text, 0)) < text.length:
        delta = text.delta(offset, at_most)
        offsets[text] = delta.offset + len(delta.text)
        yield framed(encode(delta))
