"""What it costs to come back: a long log for one viewer, a thousand viewers after a restart."""

import asyncio
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.growth import growth
from tests.benchmarks.load import Load, Viewer, load_on
from tests.benchmarks.machine import cpu_seconds
from tests.benchmarks.processes import TEST_MODEL, module, mooring
from tests.benchmarks.table import Figure
from tests.benchmarks.viewers import THIRTY_A_SECOND_MS, loop_lag
from tests.benchmarks.wake import _id as session_of
from tests.benchmarks.wake import _write_sessions as write_sessions

SIZES = (1_000, 5_000)
TIMES = 10
VIEWERS = 1_000
BEHIND = 500
BESIDE = 20
"""Sessions that stream meanwhile."""
WITHIN = 1.0
"""Seconds in which they come back."""


async def measure() -> list[Figure]:
    with TemporaryDirectory(prefix="mooring-bench-") as name:
        folder = Path(name)
        await write_sessions(folder / "data")
        model = module(TEST_MODEL, "--chunks", 1_000_000, "--pace-ms", THIRTY_A_SECOND_MS)
        async with (
            model as playing,
            mooring(playing.url, folder) as server,
            load_on(server) as load,
        ):
            replays = {size: await _replayed(load, size) for size in SIZES}
            grown = growth("replay", {size: figure.value for size, figure in replays.items()})
            return [*replays.values(), grown, *await _storm(load)]


async def _replayed(load: Load, size: int) -> Figure:
    """From connecting to `synced`; the first is read from disk, the others are not."""
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        await load.viewer(session_of(size, 0))
        taken.append((time.perf_counter() - begun) * 1000)
    of = f"the first, from disk, {taken[0]:.1f} ms"
    return Figure(f"replay of {size:,} events", statistics.median(taken[1:]), "ms", of=of)


async def _storm(load: Load) -> list[Figure]:
    """All come back to one session that nobody watched, each missing up to as many events."""
    size = SIZES[-1]
    streaming = [await load.viewer() for _ in range(BESIDE)]
    for viewer in streaming:
        await viewer.say()
    before, begun = cpu_seconds(load.pid), time.perf_counter()
    looking = asyncio.create_task(_worst_lag(load))
    back: list[Viewer] = []

    async def come(number: int) -> None:
        await asyncio.sleep(WITHIN * number / VIEWERS)
        back.append(await load.viewer(session_of(size, 1), after=size - number % BEHIND))

    await asyncio.gather(*(come(number) for number in range(VIEWERS)))
    taken, spent = time.perf_counter() - begun, cpu_seconds(load.pid) - before
    looking.cancel()
    worst = await looking
    what = f"{VIEWERS:,} viewers back after a restart"
    return [
        Figure(f"{what}: until all are in", taken, "s", of=f"they come within {WITHIN:.0f} s"),
        Figure(f"{what}: server CPU each", spent / VIEWERS * 1000, "ms"),
        Figure(f"{what}: loop lag meanwhile, at most", worst, "ms"),
    ]


async def _worst_lag(load: Load) -> float:
    worst = 0.0
    try:
        while True:
            worst = max(worst, await loop_lag(load))
    except asyncio.CancelledError:
        return worst
