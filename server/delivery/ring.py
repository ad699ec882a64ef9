"""The newest durable frames of a session, by number, within a bound in bytes."""

from collections.abc import Sequence

from server.delivery.frames import Frame

_GONE = Frame(b"")


class Ring:
    """Frames `oldest` to `head` without a hole; the oldest give way, the newest always stays.

    The bound is on plain bytes: deflated ones, where somebody asked for them, are fewer.
    """

    def __init__(self, head: int, max_bytes: int) -> None:
        """`head` is the number of the last event before the first that will be appended."""
        self._frames: list[Frame] = []
        self._gone = 0
        """How many frames at the front of the list have given way (their places are empty)."""
        self._max = max_bytes
        self.head = head
        self.bytes = 0

    @property
    def oldest(self) -> int:
        """The number of the first frame that is here; head + 1 while the ring is empty."""
        return self.head + 1 - (len(self._frames) - self._gone)

    def append(self, frame: Frame) -> None:
        self._frames.append(frame)
        self.head += 1
        self.bytes += len(frame.plain)
        while self.bytes > self._max and self._gone < len(self._frames) - 1:
            self.bytes -= len(self._frames[self._gone].plain)
            self._frames[self._gone] = _GONE
            self._gone += 1
        if self._gone > len(self._frames) // 2:
            del self._frames[: self._gone]
            self._gone = 0

    def since(self, seq: int) -> Sequence[Frame] | None:
        """Exactly the frames after `seq`, which is at most `head`; None when some are gone."""
        if seq == self.head:
            return ()
        if seq + 1 < self.oldest:
            return None
        return self._frames[seq - self.head :]
