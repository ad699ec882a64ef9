"""aiohttp's WebSocket without what it holds for nothing: ten thousand of them wait in memory."""

from collections import deque
from typing import Any

from aiohttp import WSCloseCode, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest

_defaults = {
    name: value
    for name, value in vars(web.WebSocketResponse).items()
    if not name.startswith("__") and isinstance(value, bool | int | float | None)
}
"""What aiohttp keeps in the class until a socket has its own."""
_no_requests: deque[Any] = deque(maxlen=0)
"""One for all: what is put into it is gone."""


class LeanSocket(web.WebSocketResponse):
    """Objects of more than 30 attributes have a table of their names each, which weighs 1,300
    bytes here. Those that have a default are in slots instead, which leaves 20 of them.
    """

    __slots__ = tuple(_defaults)

    def __init__(self, **settings: Any) -> None:
        for name, value in _defaults.items():
            setattr(self, name, value)
        super().__init__(**settings)

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        writer = await super().prepare(request)
        shed(request)
        return writer

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True
    ) -> bool:
        """aiohttp keeps what went wrong meanwhile, and with its traceback the whole socket: a ring
        of a hundred objects, of each that closed."""
        try:
            return await super().close(code=code, message=message, drain=drain)
        finally:
            self._exception = None
            self._hush()

    async def write_eof(self) -> None:  # type: ignore[override]
        """The last of all: other answers let go of their request then, and this one does too."""
        await super().write_eof()
        self._hush()
        self._req = None

    def _hush(self) -> None:
        """What the peer still says, as that it closes too, begins no pings that nobody would end;
        and it leads to this socket no more."""
        self._cancel_heartbeat()
        protocol = None if self._req is None else self._req.protocol
        if getattr(protocol, "_data_received_cb", None) is not None:
            protocol._data_received_cb = None  # type: ignore[union-attr]

    async def hang_up(self, code: int, reason: bytes) -> None:
        """Send a close frame, and see the connection closed."""
        await self.close(code=code, message=reason)


def shed(request: BaseRequest) -> None:
    """Let go of what reads and queues HTTP requests (1,500 bytes): there are none any more. And of
    what was read out of this one, which can be read again.

    aiohttp does so itself when a connection is lost. Where it names these otherwise, they stay.
    """
    protocol = request.protocol
    if getattr(protocol, "_parser", None) is not None:
        protocol._parser = None
    if getattr(protocol, "_messages", None) == deque():
        protocol._messages = _no_requests
    if isinstance(known := getattr(request, "_cache", None), dict):
        known.clear()
