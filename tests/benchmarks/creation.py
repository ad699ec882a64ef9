"""How long it takes to create a session, one after another over one connection."""

import time
from collections.abc import Awaitable, Callable

from tests.benchmarks.load import Load, load_on
from tests.benchmarks.machine import median_of, sync_ms
from tests.benchmarks.processes import mooring
from tests.benchmarks.table import Figure

CALLS = 200
ROUNDS = 3
TARGET = 5.0
NO_MODEL = "http://127.0.0.1:9/v1"


async def measure() -> list[Figure]:
    async with mooring(NO_MODEL) as server, load_on(server) as load:
        await _round(load.session)
        created = [await _round(load.session) for _ in range(ROUNDS)]
        alive = [await _round(lambda: _alive(load)) for _ in range(ROUNDS)]
        sync = sync_ms(server.data)
    least = median_of(alive, 0.5)
    of = f"a sync of this disk; /healthz answers in {least:.2f} ms"
    return [
        Figure(
            "session creation p50", median_of(created, 0.5), "ms", TARGET, reference=sync, of=of
        ),
        Figure("session creation p99", median_of(created, 0.99), "ms"),
    ]


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
