"""Connections to real servers of tools, for a test, and somebody who listens to their calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from agent.protocol import JsonObject
from agent.tools.mcp import Connection, connected, opened
from agent.tools.mcp_port import Blob, Hearing, Said, Signals, Words
from agent.tools.mcp_settings import Target
from agent.tools.port import Inquiry, Response
from tests.fakes.mcp import WORKSHOP
from tests.fakes.mcp.workshop import workshop

PATIENT = 60.0
"""Seconds after which a test gives up."""
KINDS = ("stdio", "http", "in process", "older")


class Listener:
    """`says` is the answer to every question."""

    def __init__(self, says: Response | None = None) -> None:
        self.shown: list[str] = []
        self.asked: list[Inquiry] = []
        self.says = says or Response("decline")
        self.heard = asyncio.Event()
        self.hearing = Hearing(self._show, self._ask)

    def _show(self, text: str) -> None:
        self.shown.append(text)
        self.heard.set()

    async def _ask(self, inquiry: Inquiry) -> Response:
        self.asked.append(inquiry)
        return self.says


class Watch:
    """What a connection says by itself."""

    def __init__(self) -> None:
        self.changed, self.lost = asyncio.Event(), asyncio.Event()
        self.signals = Signals(self.changed.set, self.lost.set)


def target(*command: str, url: str | None = None, **more: Any) -> Target:
    given: JsonObject = {"environment": {}, "headers": {}, **more}
    return Target("test", command, url, given["environment"], given["headers"])


@asynccontextmanager
async def opening(
    *command: str, watch: Watch | None = None, **more: Any
) -> AsyncIterator[Connection]:
    signals = (watch or Watch()).signals
    async with opened(target(*command, **more), signals) as connection:
        yield connection


@asynccontextmanager
async def in_process(server: Any, **more: Any) -> AsyncIterator[Connection]:
    async with connected("test", server, Watch().signals, **more) as connection:
        yield connection


@asynccontextmanager
async def over_http(**more: Any) -> AsyncIterator[str]:
    """The address of a workshop in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *WORKSHOP, "http", stdout=asyncio.subprocess.PIPE, **more
    )
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def reaching(kind: str) -> AsyncIterator[Connection]:
    """A workshop, in one of the ways there are: one of KINDS."""
    async with AsyncExitStack() as stack:
        if kind == "http":
            url = await stack.enter_async_context(over_http())
            yield await stack.enter_async_context(opening(url=url))
        elif kind == "stdio":
            yield await stack.enter_async_context(opening(*WORKSHOP))
        else:
            mode = "legacy" if kind == "older" else "auto"
            yield await stack.enter_async_context(in_process(workshop, mode=mode))


def words(said: Said) -> str:
    return "\n".join(part.text for part in said.parts if isinstance(part, Words))


def blobs(said: Said) -> list[Blob]:
    return [part for part in said.parts if isinstance(part, Blob)]
