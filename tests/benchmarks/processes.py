"""The processes of a run: the real server on its core, models beside the load, the bare relay."""

import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from tests.benchmarks.machine import server_core
from tests.serving import Server

ROOT = Path(__file__).parent.parent.parent
TEST_MODEL = "tests.model_server"
REHEARSED = "tests.benchmarks.rehearsed_model"
RELAY = "tests.benchmarks.relay"
ROOMY = {
    "sessions_per_user": 100_000,
    "live_sessions": 1_000,
    "running_turns_per_user": 1_000,
    "viewers_per_session": 10_000,
    "connections_per_user": 10_000,
    "connections_per_address": 12_000,
    "handshakes_per_minute": 1_000_000,
    "creations_per_minute": 1_000_000,
    "submissions_per_minute": 1_000_000,
}
"""Limits are there to be met by people, not by a load generator."""


class Started(Struct, frozen=True):
    """A process that said where it listens."""

    pid: int
    url: str


@asynccontextmanager
async def module(
    name: str, *arguments: object, on_server_core: bool = False
) -> AsyncIterator[Started]:
    """`python -m name arguments`, whose first line ends with its address."""
    with server_core() if on_server_core else nullcontext():
        process = await create_subprocess_exec(
            sys.executable, "-m", name, *map(str, arguments), cwd=ROOT, stdout=PIPE
        )
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode().split()
        assert line, f"{name} said nothing"
        yield Started(process.pid, line[-1])
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def mooring(
    model_url: str, folder: Path | None = None, arguments: Sequence[str] = (), **config: Any
) -> AsyncIterator[Server]:
    """The server, ready, on a core of its own; `folder` where its data are there already."""
    overlay: Mapping[str, Any] = {"limits": ROOMY, **config}
    with TemporaryDirectory(prefix="mooring-bench-") as fresh:
        server = Server(folder or Path(fresh), model_url, config=overlay, arguments=arguments)
        with server_core():
            await server.start()
        try:
            yield server
        finally:
            await server.terminate()


@asynccontextmanager
async def relay(model_url: str) -> AsyncIterator[Started]:
    """The least that can stand between a model and a viewer, on the server's core."""
    async with module(RELAY, model_url, on_server_core=True) as started:
        yield started
