"""A text being written: grown at its end, read from any code point on."""

from bisect import bisect_left, bisect_right
from typing import Literal

from server.wire import ReasoningDelta, TextDelta, ToolLog

Kind = Literal["text", "reasoning", "tool_log", "job_log"]
"""A job's log grows on when its turn has ended; beside that it is a tool's output."""
LOGS = ("tool_log", "job_log")
Delta = TextDelta | ReasoningDelta | ToolLog


class Growing:
    """An open item's text. Its author appends to `fresh`; `settle` takes that up.

    At most `keep` code points are held: of a tool's output the last, of what a model writes the
    first (what it writes beyond them is shown by the event that closes the item).
    """

    __slots__ = (
        "_keep",
        "_pieces",
        "_starts",
        "closed",
        "floor",
        "fresh",
        "item",
        "kind",
        "length",
        "turn",
    )

    def __init__(self, kind: Kind, turn: str, item: str, keep: int) -> None:
        self.kind = kind
        self.turn = turn
        self.item = item
        self.fresh: list[str] = []
        self.closed = False
        self.floor = 0
        """The first code point that is still here."""
        self.length = 0
        """Code points so far, those before the floor included."""
        self._keep = keep
        self._starts: list[int] = []
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """What is settled and still here."""
        return "".join(self._pieces)

    def settle(self) -> bool:
        """Make what is fresh part of the text; whether that changed it."""
        text = _sendable("".join(self.fresh))
        self.fresh.clear()
        if self.kind not in LOGS:
            text = text[: self._keep - self.length]
        if not text:
            return False
        self._starts.append(self.length)
        self._pieces.append(text)
        self.length += len(text)
        if self.kind in LOGS:
            self._let_go(self.length - self._keep)
        return True

    def _let_go(self, floor: int) -> None:
        if floor <= self.floor:
            return
        self.floor = floor
        gone = bisect_right(self._starts, floor) - 1
        del self._starts[:gone], self._pieces[:gone]
        self._pieces[0] = self._pieces[0][floor - self._starts[0] :]
        self._starts[0] = floor

    def delta(self, offset: int, at_most: int) -> Delta:
        """What follows `offset`, which is below the length; no more than `at_most` code points."""
        start = max(offset, self.floor)
        index = bisect_right(self._starts, start) - 1
        until = bisect_left(self._starts, start + at_most)
        ahead = start - self._starts[index]
        text = "".join(self._pieces[index:until])[ahead : ahead + at_most]
        if self.kind in LOGS:
            return ToolLog(self.turn, self.item, start, text, skipped=start - offset)
        shown = TextDelta if self.kind == "text" else ReasoningDelta
        return shown(self.turn, self.item, start, text)


def _sendable(text: str) -> str:
    """Half a surrogate pair, which some models send, is no UTF-8: one `?` in its place."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()
