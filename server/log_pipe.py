"""Log lines on their way out: made and written by a thread, so that they hold up nobody."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

WAITING = 10_000
"""Records that may wait for the stream; more are dropped and counted, the oldest are kept."""
GATHERING = 0.02
"""Seconds in which lines are gathered: to wake a thread for each costs more than the line, and who
wrote the first has work to do that somebody waits for."""
LAST_SECONDS = 2.0


def as_it_is(record: logging.LogRecord) -> None:
    """Nothing of the context is kept with the record."""


class LogPipe(logging.Handler):
    """`bind` keeps with a record what only its context knows; its thread makes a line of it."""

    def __init__(
        self,
        stream: TextIO,
        waiting: int = WAITING,
        bind: Callable[[logging.LogRecord], None] = as_it_is,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._most = waiting
        self._bind = bind
        self._waiting: deque[logging.LogRecord | str] = deque()
        self._dropped = 0
        self._came = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-lines", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._waiting) >= self._most:
            self._dropped += 1
            return
        self._bind(record)
        # A traceback holds on to all that its frames know: it becomes text at once.
        self._waiting.append(self.format(record) if record.exc_info else record)
        if not self._came.is_set():
            self._came.set()

    def close(self) -> None:
        """Write what waits, unless the stream does not take it; called when the process ends."""
        super().close()
        self._ending.set()
        self._came.set()
        self._thread.join(LAST_SECONDS)

    # ---- in the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                self._came.wait()
                self._ending.wait(GATHERING)
                self._came.clear()
                self._write()
            self._write()
        except (OSError, ValueError):
            return  # the stream is closed: there is nobody left to tell

    def _write(self) -> None:
        while self._waiting:
            line = self._waiting.popleft()
            self._stream.write(f"{line if isinstance(line, str) else self.format(line)}\n")
            if dropped := self._take_dropped():
                self._stream.write(f"({dropped} log lines were dropped: the reader stalled)\n")
        self._stream.flush()

    def _take_dropped(self) -> int:
        self.acquire()  # `emit` is called under the same lock
        try:
            dropped, self._dropped = self._dropped, 0
        finally:
            self.release()
        return dropped
