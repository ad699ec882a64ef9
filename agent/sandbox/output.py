"""What a command prints, shown as it comes and bounded."""

import asyncio
import codecs
import os
from collections.abc import Callable

from agent.sandbox.namespace import readable

PIECE = 64 * 1024


class Output:
    """The read end of a command's stdout and stderr; broken UTF-8 is replaced.

    Nothing is read ahead: what is not shown yet waits in the pipe, and the command with it.
    """

    def __init__(self, fd: int, show: Callable[[str], None], limit: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._show = show
        self._left = limit
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode

    @property
    def over(self) -> bool:
        """Whether more came than was shown."""
        return self._left < 0

    async def overflow(self) -> None:
        """Show what comes; returns only when more than the limit has come."""
        while not self.over:
            await readable(self._fd)
            if self._step() == b"":
                await asyncio.get_running_loop().create_future()

    def drain(self) -> None:
        """Show what lies in the pipe now, without waiting for its end."""
        while not self.over and self._step():
            pass
        self._print(b"", last=True)

    def _step(self) -> bytes | None:
        """The bytes that came; none at the end, None when there are none yet."""
        try:
            piece = os.read(self._fd, PIECE)
        except BlockingIOError:
            return None
        self._print(piece[: self._left])
        self._left -= len(piece)
        return piece

    def _print(self, piece: bytes, *, last: bool = False) -> None:
        if text := self._decode(piece, last):
            self._show(text)
