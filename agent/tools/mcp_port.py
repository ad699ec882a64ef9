"""What a server of tools is to this house: what it offers, and what it answers."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from agent.protocol import JsonObject
from agent.tools.mcp_settings import Target
from agent.tools.port import Inquiry, Response


class Offered(Struct, frozen=True):
    """A tool as the server tells of it; `reads`: it says that it changes nothing."""

    name: str
    description: str
    schema: JsonObject
    reads: bool


class Words(Struct, frozen=True):
    text: str


class Blob(Struct, frozen=True):
    """Content to be kept as a file; `name` is the server's, and may be anything."""

    data: bytes
    media_type: str
    name: str = ""


Part = Words | Blob


class Said(Struct, frozen=True):
    """What came of a call."""

    parts: tuple[Part, ...]
    failed: bool


class Hearing(Struct, frozen=True):
    """Who listens while a call runs: `show` takes progress and logs, `ask` asks a person."""

    show: Callable[[str], None]
    ask: Callable[[Inquiry], Awaitable[Response]]


class Signals(Struct, frozen=True):
    """What a connection says by itself: other tools are offered; it is gone."""

    changed: Callable[[], None]
    lost: Callable[[], None]


class ToolServer(Protocol):
    """An open connection; many calls may run over it at a time. Both raise Problem."""

    async def tools(self) -> tuple[Offered, ...]: ...

    async def call(self, tool: str, arguments: JsonObject, hearing: Hearing) -> Said:
        """Cancelling it tells the server."""
        ...


class Connect(Protocol):
    """Entered and left by the same task. Entering raises Problem where there is no server."""

    def __call__(
        self, target: Target, signals: Signals
    ) -> AbstractAsyncContextManager[ToolServer]: ...
