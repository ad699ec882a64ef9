"""From the command to a server that says it is ready, with a model that needs no litellm."""

import asyncio
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from tests.benchmarks.creation import NO_MODEL
from tests.benchmarks.growth import growth
from tests.benchmarks.machine import server_core
from tests.benchmarks.stored import write_sessions
from tests.benchmarks.table import Figure
from tests.serving import SAYS, Server

STARTS = 5
TARGET = 0.8
STORED = (100, 1_000, 10_000)
"""Sessions of a few events."""
FEW = 10
EVENTS = (1_000, 5_000, 25_000)
"""In sessions of a thousand."""
MANY = 1_000
GROWN_STARTS = 3
ASKED_EACH = 0.005
IMPORTS = "import aiohttp.web, msgspec"


async def measure() -> list[Figure]:
    empty = [await _with(0, FEW) for _ in range(STARTS)]
    listening, ready = (statistics.median(taken) for taken in zip(*empty, strict=True))
    by_sessions = {count: (await _with(count, FEW))[1] for count in STORED}
    by_events = {count: (await _with(count // MANY, MANY))[1] for count in EVENTS}
    bare = statistics.median([await _bare_start() for _ in range(STARTS)])
    of = "Python importing aiohttp and msgspec"
    return [
        Figure("cold start to listening", listening, "s"),
        Figure("cold start to ready", ready, "s", TARGET, reference=bare, of=of),
        growth("cold start with the sessions that are stored", by_sessions),
        growth("cold start with the events that are stored", by_events),
    ]


async def _with(sessions: int, events: int) -> tuple[float, float]:
    """`_start` where so many sessions of so many events are stored; the last of some where any
    are: the first begins what was never opened."""
    with TemporaryDirectory(prefix="mooring-bench-") as name:
        folder = Path(name)
        if not sessions:
            return await _start(folder)
        await write_sessions(folder / "data", {events: sessions})
        taken = [await _start(folder) for _ in range(GROWN_STARTS)]
    return taken[-1]


async def _start(folder: Path) -> tuple[float, float]:
    """Seconds until it listens, and until it is ready."""
    server = Server(folder, NO_MODEL)
    begun = time.perf_counter()
    with server_core():
        process = await server.spawn(
            *("serve", "--port", "0", "--no-browser", "--data-dir", str(server.data)),
            *("--model", "openai/test-model", "--api-base", NO_MODEL),
        )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip().removeprefix(SAYS)
        listening = time.perf_counter() - begun
        await _ready(url)
        return listening, time.perf_counter() - begun
    finally:
        process.terminate()
        await process.communicate()


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(ASKED_EACH)


async def _bare_start() -> float:
    begun = time.perf_counter()
    with server_core():
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", IMPORTS, stdout=PIPE)
    await process.wait()
    return time.perf_counter() - begun
