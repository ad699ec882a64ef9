"""When a change of the status is shown: at once, or at most twice a second."""

from server.wire import Status


class StatusLine:
    """The status that viewers have been shown, and the one that is true."""

    def __init__(self, status: Status, gap: float) -> None:
        """`gap` is the least time in seconds between changes that can wait."""
        self.shown = status
        self.latest = status
        self._gap = gap
        self._next = float("-inf")

    def due(self, now: float) -> float | None:
        """When `latest` is to be shown; None when it is."""
        if self.latest == self.shown:
            return None
        return now if self._urgent() else max(now, self._next)

    def show(self, now: float) -> Status:
        """Count `latest` as shown."""
        if not self._urgent():
            self._next = now + self._gap
        self.shown = self.latest
        return self.latest

    def _urgent(self) -> bool:
        a, b = self.latest, self.shown
        return (a.state, a.turn, a.queue, a.held) != (b.state, b.turn, b.queue, b.held)
