"""Frames of clients have to be masked (RFC 6455, section 5.1), else the connection is closed."""

from typing import Protocol

BARE = 0x80
"""A second byte below it belongs to a frame without a mask."""
NO_FRAME = b"\xb0\x80"
"""The beginning of none, whatever was agreed: reserved bits are set."""


class Parser(Protocol):
    """Whether it is over, and what is left then."""

    def feed_data(self, data: bytes, /) -> tuple[bool, bytes]: ...

    def feed_eof(self) -> None: ...


class Masked:
    """Stands before a parser that takes frames of either kind, and looks at their heads only.

    Heads that are not whole are held back, so that the parser is between two frames where one
    without a mask begins: it is given what it refuses by itself instead.
    """

    __slots__ = ("_held", "_parser", "_to_come")

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._held = b""
        self._to_come = 0
        """Bytes before the next head."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if self._held:
            data, self._held = self._held + data, b""
        at, size = self._to_come, len(data)
        while at + 2 <= size:
            if data[at + 1] < BARE:
                self._parser.feed_data(data[:at])
                return self._parser.feed_data(NO_FRAME)
            whole = _whole(data, at)
            if whole is None:
                break
            at += whole
        self._to_come = max(at - size, 0)
        if at < size:
            self._held, data = data[at:], data[:at]
        return self._parser.feed_data(data)

    def feed_eof(self) -> None:
        self._parser.feed_eof()


def _whole(data: bytes, at: int) -> int | None:
    """How long the masked frame is that begins there; None before that is known."""
    length = data[at + 1] - BARE
    if length < 126:
        return 6 + length
    more = 2 if length == 126 else 8
    if at + 2 + more > len(data):
        return None
    return 6 + more + int.from_bytes(data[at + 2 : at + 2 + more], "big")
