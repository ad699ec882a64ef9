"""What it costs to come back: a long log for one viewer, a thousand viewers after a restart."""

import asyncio
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from tests.benchmarks.growth import growth
from tests.benchmarks.lags import streaming, told
from tests.benchmarks.load import Load, load_on
from tests.benchmarks.machine import cpu_seconds, quantile, server_core
from tests.benchmarks.processes import TEST_MODEL, module, mooring
from tests.benchmarks.standing import come_back
from tests.benchmarks.stored import session_of, write_sessions
from tests.benchmarks.table import Figure
from tests.serving import Server

SIZES = (500, 1_000, 5_000)
TIMES = 15
STORMS = (100, 300, 1_000)
BEHIND = 500
BESIDE = 20
"""Sessions that stream meanwhile, begun after the restart."""
PACE_MS = 33
APART = 0.037
CALM = 4.0
"""Seconds of streaming with nobody coming back."""


class Storm(Struct, frozen=True):
    """Seconds until all were in, milliseconds of the server's CPU each, and the lags meanwhile of
    those who stream."""

    taken: float
    each: float
    lags: list[float]


async def measure() -> list[Figure]:
    with TemporaryDirectory(prefix="mooring-bench-") as name:
        folder = Path(name)
        await write_sessions(folder / "data", dict.fromkeys(SIZES, len(STORMS)))
        model = module(TEST_MODEL, "--chunks", 1_000_000, "--pace-ms", PACE_MS, "--stamp")
        async with model as playing, mooring(playing.url, folder) as server:
            async with load_on(server) as load:
                replays = {size: await _replayed(load, size) for size in SIZES}
            grown = growth("replay with its events", {s: f.value for s, f in replays.items()})
            return [*replays.values(), grown, *await _storms(server)]


async def _replayed(load: Load, size: int) -> Figure:
    """From connecting to `synced`; the first is read from disk, the others are not."""
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        viewer = await load.viewer(session_of(size, 0))
        taken.append((time.perf_counter() - begun) * 1000)
        await viewer.leave()
    of = f"the first, from disk, {taken[0]:.1f} ms"
    return Figure(f"replay of {size:,} events", statistics.median(taken[1:]), "ms", of=of)


async def _storms(server: Server) -> list[Figure]:
    """All come back to one session that nobody has watched since the server is there again."""
    storms: dict[int, Storm] = {}
    calm: list[float] = []
    for number, count in enumerate(STORMS):
        with server_core():
            await server.restart()
        async with load_on(server) as load:
            viewers = [await load.viewer() for _ in range(BESIDE)]
            async with streaming(viewers, APART) as found:
                found.clear()
                await asyncio.sleep(CALM)
                calm = list(found)
                storms[count] = await _storm(load, session_of(SIZES[-1], number), count, found)
    most = STORMS[-1]
    storm, what = storms[most], f"{most:,} viewers back after a restart"
    return [
        Figure(f"{what}: until all are in", storm.taken, "s", of="they come within 1 s"),
        Figure(f"{what}: server CPU each", storm.each, "ms"),
        Figure(
            f"{what}: lag of {BESIDE} streams meanwhile, p99", quantile(storm.lags, 0.99), "ms",
            reference=quantile(calm, 0.99), of="without them",
        ),
        Figure(
            f"{what}: the same at most", max(storm.lags), "ms",
            reference=max(calm), of=f"without them; {told(storm.lags)}",
        ),
        growth("CPU for each who comes back with their number", _each(storms)),
    ]  # fmt: skip


async def _storm(load: Load, session: str, count: int, found: list[float]) -> Storm:
    found.clear()
    before = cpu_seconds(load.pid)
    taken = await come_back(load, session, count, SIZES[-1], BEHIND)
    spent = cpu_seconds(load.pid) - before
    return Storm(taken, spent / count * 1000, list(found))


def _each(storms: dict[int, Storm]) -> dict[int, float]:
    return {count: storm.each for count, storm in storms.items()}
