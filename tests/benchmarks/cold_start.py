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
from tests.benchmarks.machine import server_core
from tests.benchmarks.table import Figure
from tests.serving import SAYS, Server

STARTS = 5
TARGET = 0.8
ASKED_EACH = 0.005
IMPORTS = "import aiohttp.web, msgspec"


async def measure() -> list[Figure]:
    listening, ready = zip(*[await _start() for _ in range(STARTS)], strict=True)
    bare = statistics.median([await _bare_start() for _ in range(STARTS)])
    of = "Python importing aiohttp and msgspec"
    return [
        Figure("cold start to listening", statistics.median(listening), "s"),
        Figure("cold start to ready", statistics.median(ready), "s", TARGET, reference=bare, of=of),
    ]


async def _start() -> tuple[float, float]:
    """Seconds until it listens, and until it is ready, on an empty data directory."""
    with TemporaryDirectory(prefix="mooring-bench-") as folder:
        server = Server(Path(folder), NO_MODEL)
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
