"""The status of a session and who is there, shown to the viewers when a change is due."""

from collections.abc import Callable

from msgspec import structs

from server.delivery.clock import Clock, Handle
from server.delivery.presence import Presence
from server.delivery.status import StatusLine
from server.wire import Person, Status


class StatusPublisher:
    """`show` is called with what viewers are to see; `gap` is in seconds, as in `StatusLine`."""

    def __init__(
        self, status: Status, gap: float, clock: Clock, show: Callable[[Status], object]
    ) -> None:
        self._line = StatusLine(status, gap)
        self._presence = Presence()
        self._clock = clock
        self._show = show
        self._due: Handle | None = None

    def tell(self, status: Status) -> None:
        """What is true now; who is there is known here."""
        line = self._line
        line.latest = structs.replace(
            status, viewers=line.latest.viewers, people=self._presence.people
        )
        self._publish()

    def count(self, viewers: int) -> None:
        """So many are there now, after who came and went."""
        line = self._line
        line.latest = structs.replace(line.latest, viewers=viewers, people=self._presence.people)
        self._publish()

    def comes(self, person: Person | None) -> None:
        """None is somebody whom nobody knows."""
        if person is not None:
            self._presence.enter(person)

    def goes(self, person: Person | None) -> None:
        if person is not None:
            self._presence.leave(person)

    def stop(self) -> None:
        if self._due is not None:
            self._due.cancel()

    def _publish(self) -> None:
        now = self._clock.time()
        due = self._line.due(now)
        if due is None or (due > now and self._due is not None):
            return
        if due > now:
            self._due = self._clock.call_at(due, self._is_due)
        else:
            self._show(self._line.show(now))

    def _is_due(self) -> None:
        self._due = None
        self._publish()
