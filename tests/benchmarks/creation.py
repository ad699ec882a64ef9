"""How long it takes to create a session, and how that grows with those that are there."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from tests.benchmarks.growth import growth
from tests.benchmarks.load import Load, load_on
from tests.benchmarks.machine import median_of, rss_kib, sync_ms
from tests.benchmarks.processes import mooring
from tests.benchmarks.table import Figure

CALLS = 200
ROUNDS = 3
TARGET = 2.0
STORED = (1_000, 3_000, 9_000)
AT_ONCE = 20
NO_MODEL = "http://127.0.0.1:9/v1"


async def measure() -> list[Figure]:
    async with mooring(NO_MODEL) as server, load_on(server) as load:
        await _round(load.session)
        created = [await _round(load.session) for _ in range(ROUNDS)]
        alive = [await _round(lambda: _alive(load)) for _ in range(ROUNDS)]
        sync = sync_ms(server.data)
        there, grown, memory = CALLS * (ROUNDS + 1), {}, {}
        for stored in STORED:
            there += await _fill(load, stored - there)
            grown[stored] = median_of([await _round(load.session)], 0.5)
            there += CALLS
            memory[stored] = rss_kib(load.pid) / 1024
    least = median_of(alive, 0.5)
    of = f"a sync of this disk; /healthz answers in {least:.2f} ms"
    return [
        Figure(
            "session creation p50", median_of(created, 0.5), "ms", TARGET, reference=sync, of=of
        ),
        Figure("session creation p99", median_of(created, 0.99), "ms"),
        growth("session creation with stored sessions", grown),
        growth("the server's memory (MiB) with stored sessions", memory),
    ]


async def _fill(load: Load, count: int) -> int:
    """How many it created."""
    for _ in range(0, count, AT_ONCE):
        await asyncio.gather(*(load.session() for _ in range(AT_ONCE)))
    return max(0, -(-count // AT_ONCE) * AT_ONCE)


async def _alive(load: Load) -> None:
    async with load.http.get(f"{load.url}/healthz") as answer:
        await answer.read()


async def _round(call: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each call."""
    taken = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken
