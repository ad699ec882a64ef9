"""An output as far as the model is shown it: a quarter from its beginning, the rest its end."""

from collections import deque

from agent.protocol import CallId

OUTPUT_LIMIT = 25_000
"""Characters of one output that go into the log and to the model."""


def kept_at(call: CallId) -> str:
    """Where in the workspace the whole of a truncated output is."""
    return f".mooring/outputs/{call}.txt"


class Printed:
    """Grows without keeping more than twice the limit; `size` counts all that was added."""

    def __init__(self, limit: int = OUTPUT_LIMIT) -> None:
        self.size = 0
        self._limit = limit
        self._head = ""
        self._rest: deque[str] = deque()
        self._rest_size = 0

    @property
    def truncated(self) -> bool:
        return self.size > self._limit

    def add(self, text: str) -> None:
        self.size += len(text)
        room = max(self._limit // 4 - len(self._head), 0)
        self._head += text[:room]
        self._add_rest(text[room:])

    def cut(self, kept: str | None = None) -> tuple[str, bool]:
        """The text to show, and whether it was cut; `kept` is where the whole can be read."""
        rest = "".join(self._rest)
        if not self.truncated:
            return self._head + rest, False
        tail = rest[-(self._limit - len(self._head)) :]
        left_out = self.size - len(self._head) - len(tail)
        where = f"; the whole is in {kept}" if kept else ""
        return f"{self._head}\n[... {left_out} characters left out{where} ...]\n{tail}", True

    def _add_rest(self, text: str) -> None:
        """Keep at least the last `limit` characters, and not many more."""
        if not text:
            return
        text = text[-self._limit :]
        self._rest.append(text)
        self._rest_size += len(text)
        while self._rest_size - len(self._rest[0]) >= self._limit:
            self._rest_size -= len(self._rest.popleft())
