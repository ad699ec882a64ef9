"""What viewers see of one session, whether its agent is in memory or not."""

import asyncio
import weakref
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import structs

from agent.history import Digest
from agent.journal import Activity, GrowthKind, OpenText
from agent.protocol import Recorded, ToolOutput
from server.delivery.broadcast import Broadcaster
from server.delivery.pages import Pages
from server.sessions.rows import indexed, queued, session_of, status_of
from server.store.port import SessionRow, Store
from server.wire import Outgoing, Queued


class Audience(Protocol):
    """Who watches all sessions."""

    def changed(self, channel: "Channel") -> None:
        """A list would show it anew."""
        ...

    def recorded(self, channel: "Channel", entries: Sequence[Recorded]) -> None: ...

    def streamed(self, channel: "Channel", characters: int) -> None: ...


class Channel:
    """The published row, and the broadcaster that shows what happens."""

    def __init__(
        self,
        row: SessionRow,
        queue: tuple[Queued, ...],
        store: Store,
        pages: Pages,
        timestamp: Callable[[], str],
        audience: "Audience",
    ) -> None:
        self.row = row
        self.activity: Activity | None = None
        self.tokens_per_second = 0.0
        self.turn_since: float | None = None
        """When the open turn began, in seconds of the audience's clock."""
        self._queue = queue
        self._audience = audience
        self._logged: set[str] = set()
        me = weakref.ref(self)  # whoever is shown something holds the channel: this makes no ring
        self.broadcaster = Broadcaster(
            row.id,
            head=row.head,
            log=store.log_generation,
            status=status_of(row, queue, None),
            describe=lambda: session_of(_there(me()).row),
            pages=pages,
            timestamp=timestamp,
            clock=asyncio.get_running_loop(),
            on_viewers=lambda viewers: audience.changed(_there(me())),
        )

    @property
    def viewers(self) -> int:
        return self.broadcaster.viewers

    def publish(
        self, entries: Sequence[Recorded], bodies: Sequence[Outgoing], digest: Digest
    ) -> None:
        """Show what was committed, then what it amounts to."""
        for entry in entries:
            self._show_output(entry)
        self.broadcaster.publish(entries[0].seq, bodies)
        last = entries[-1]
        self.row = structs.replace(
            self.row,
            head=last.seq,
            active_at=last.at,
            indexed=indexed(digest),
            questions=digest.pending_questions,
        )
        self._queue = queued(digest)
        if digest.state != "running" and self.activity != "compacting":
            self.activity = None  # what it was busy with ended in this commit
        self._audience.recorded(self, entries)
        self._tell()

    def open(self, kind: GrowthKind, turn: str, item: str) -> OpenText:
        if kind == "tool_log":
            self._logged.add(item)
        return self.broadcaster.open(kind, turn, item)

    def busy(self, activity: Activity | None) -> None:
        """What the agent is at; None when it rests, or is not in memory."""
        if activity != self.activity:
            self.activity = activity
            self._tell()

    def streamed(self, characters: int) -> None:
        """So much was written that is not in the log yet."""
        self._audience.streamed(self, characters)

    def _show_output(self, entry: Recorded) -> None:
        """An output that no running call printed is shown like one that did."""
        event = entry.event
        if not isinstance(event, ToolOutput):
            return
        if event.call in self._logged:
            self._logged.discard(event.call)
        elif event.output and not event.truncated:
            self.broadcaster.open("tool_log", event.turn, event.call).grow(event.output)

    def _tell(self) -> None:
        self.broadcaster.status(status_of(self.row, self._queue, self.activity))
        self._audience.changed(self)


def _there(channel: Channel | None) -> Channel:
    assert channel is not None
    return channel
