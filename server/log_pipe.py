"""Log lines on their way out: written by a thread, so that a stalled terminal stalls nobody."""

import logging
import queue
import threading
from typing import TextIO

WAITING = 10_000
"""Lines that may wait for the stream; more are dropped and counted, the oldest are kept."""
LAST_SECONDS = 2.0


class LogPipe(logging.Handler):
    """Formats a record where it arises, in its context, and hands the line to its thread."""

    def __init__(self, stream: TextIO, waiting: int = WAITING) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(waiting)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="log-lines", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, unless the stream does not take it; called when the process ends."""
        super().close()
        try:
            self._lines.put(None, timeout=LAST_SECONDS)
        except queue.Full:
            return
        self._thread.join(LAST_SECONDS)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(f"{line}\n")
                if dropped := self._take_dropped():
                    self._stream.write(f"({dropped} log lines were dropped: the reader stalled)\n")
                self._stream.flush()
            except (OSError, ValueError):
                return  # the stream is closed: there is nobody left to tell

    def _take_dropped(self) -> int:
        self.acquire()  # `emit` is called under the same lock
        try:
            dropped, self._dropped = self._dropped, 0
        finally:
            self.release()
        return dropped
