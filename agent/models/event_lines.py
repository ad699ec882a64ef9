"""Payloads cut out of bytes that arrive in any pieces: lines of an event stream, or one body."""

from agent.models.port import ModelError


class EventLines:
    """Each `data:` line is one payload, as chat providers send them; all other lines are skipped.

    `max_line` and `max_total` are in bytes; a stream that goes beyond either is garbled.
    """

    def __init__(self, max_line: int, max_total: int) -> None:
        self._max_line = max_line
        self._left = max_total
        self._open = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes, without the `data:` before them."""
        self._left -= len(data)
        if self._left < 0:
            raise _too_large("reply")
        may_be_too_long = len(self._open) + len(data) > self._max_line
        first, *lines = data.split(b"\n")
        self._open += first
        if lines:
            lines.insert(0, bytes(self._open))
            self._open[:] = lines.pop()
        if may_be_too_long and max(map(len, [*lines, self._open])) > self._max_line:
            raise _too_large("line")
        return [line[5:] for line in lines if line.startswith(b"data:")]

    def end(self) -> list[bytes]:
        """The payload of a last line that no line end closed."""
        return self.feed(b"\n") if self._open else []


class WholeBody:
    """The same for a server that answers without streaming: its body is the one payload."""

    def __init__(self, max_total: int) -> None:
        self._max_total = max_total
        self._body = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        self._body += data
        if len(self._body) > self._max_total:
            raise _too_large("reply")
        return []

    def end(self) -> list[bytes]:
        return [bytes(self._body)]


def _too_large(what: str) -> ModelError:
    message = f"The model's server sent a {what} longer than is allowed. Try again."
    return ModelError("garbled", message, retryable=True)
