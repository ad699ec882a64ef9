"""A window of a browser, whichever it is, and the processes that one needs."""

import asyncio
import os
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

READY_WITHIN = 60.0
"""Seconds that a browser may take until it listens."""


class Window(Protocol):
    """What a visit asks of it; a script is the body of an async function."""

    name: str

    async def go(self, url: str) -> None: ...
    async def run(self, script: str, *arguments: Any) -> Any: ...
    async def press(self, keys: str) -> None: ...
    async def wheel(self, pixels: int) -> None:
        """Over the middle of the window; upwards where it is less than none."""
        ...

    async def wrong(self) -> list[str]:
        """Errors of scripts, and what the page's policy forbade."""
        ...


@asynccontextmanager
async def running(
    *command: str, environment: Mapping[str, str] | None = None, stdout: int = DEVNULL
) -> AsyncIterator[Process]:
    """Ended at the end, by its id."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **(environment or {})}, stdout=stdout, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def listening(port: int) -> None:
    """TimeoutError where nobody does in time."""
    async with asyncio.timeout(READY_WITHIN):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
